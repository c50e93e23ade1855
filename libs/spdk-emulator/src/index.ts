export { Emulator, type EmulatorOptions } from "./emulator.ts";
