export { Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";
export type { CountersOfConnection } from "./faults/counters.ts";
export type { Fault } from "./faults/faults.ts";
