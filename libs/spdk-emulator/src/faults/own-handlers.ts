import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno } from "../rpc/rpc-error.ts";
import type { Counters } from "./counters.ts";
import type { Faults } from "./faults.ts";
import type { Hazards } from "./hazards.ts";
import { parseFault, refused } from "./parse-fault.ts";

/** What the emulator's own methods act on. */
export interface EmulatorControls {
  readonly faults: Faults;
  readonly counters: Counters;
  readonly hazards: () => Hazards;
  /** Whether new connections are refused. */
  setRefusing(refusing: boolean): Promise<void>;
  /** Loses memory and connections, and is back after `downMs`. */
  restart(downMs: number): void;
  /** Loses memory and connections, and stays away. */
  crash(): void;
}

/** The emulator's own methods: rpc_get_methods does not name them, and faults do not happen to them. */
export function ownHandlers(controls: EmulatorControls): Handlers {
  const { faults, counters } = controls;
  return {
    emulator_add_fault: (params = {}) => faults.add(parseFault(params)),
    emulator_remove_fault: (params = {}) => {
      if (!faults.remove(decode(params, { id: "uint32" }, refused("use id")).id)) throw errno("ENOENT");
      return true;
    },
    emulator_clear_faults: () => {
      faults.clear();
      return true;
    },
    emulator_get_faults: () =>
      faults.list().map(({ delayMs, ...fault }) => ({ ...fault, ...(delayMs !== undefined && { delay_ms: delayMs }) })),
    emulator_get_counters: () => counters.describe(),
    emulator_reset_counters: () => {
      counters.reset();
      return true;
    },
    emulator_get_hazards: () => controls.hazards().describe(),
    emulator_reset_hazards: () => {
      controls.hazards().reset();
      return true;
    },
    emulator_refuse_connections: async (params = {}) => {
      await controls.setRefusing(decode(params, { refuse: "boolean" }, refused("use refuse")).refuse);
      return true;
    },
    emulator_restart: (params = {}) => {
      const { down_ms = 0 } = decode(params, { down_ms: "uint32?" }, refused("use down_ms"));
      // The reply leaves first.
      setTimeout(() => controls.restart(down_ms), 10);
      return true;
    },
    emulator_crash: () => {
      controls.crash();
    },
  };
}
