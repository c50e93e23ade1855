export { Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";
export type { CountersOfConnection } from "./faults/counters.ts";
export type { CallFault, Fault, IoFault, IoKind } from "./faults/fault.ts";
