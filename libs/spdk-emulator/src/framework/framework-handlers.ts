import { TICK_RATE } from "../bdev/statistics-handlers.ts";
import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { RpcError, undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import { configOf } from "./config.ts";
import { subsystemsOf } from "./subsystems.ts";

/** What an SPDK target's threads are called. */
const THREADS = ["app_thread", "nvmf_tgt_poll_group_000", "iscsi_poll_group_0"];

/** The application framework. */
export function frameworkHandlers(state: TargetState, version: Version): Handlers {
  const started = process.hrtime.bigint();
  const subsystems = subsystemsOf(version);
  return {
    // An emulated target has started all that it has before it listens.
    framework_wait_init: () => true,
    framework_get_subsystems: () => subsystems,
    framework_get_config: (params = {}) => {
      const { name } = decode(params, { name: "string" }, undecodable());
      if (!subsystems.some(({ subsystem }) => subsystem === name))
        throw new RpcError(-32602, `Subsystem '${name}' not found`);
      return configOf(name, state, version);
    },
    framework_get_pci_devices: () => [],
    framework_get_reactors: () => {
      const elapsed = process.hrtime.bigint() - started;
      const { system, user } = process.cpuUsage();
      return {
        tick_rate: TICK_RATE,
        ...(version.from("24.05") && { pid: process.pid }),
        reactors: [
          {
            lcore: 0,
            ...(version.from("25.09") && { numa_id: 0 }),
            ...(version.from("24.05") && { tid: process.pid }),
            busy: (system + user) * 1000,
            idle: elapsed,
            in_interrupt: false,
            ...(version.from("24.05") && { irq: 0, sys: Math.round(system / 1e6), usr: Math.round(user / 1e6) }),
            lw_threads: THREADS.map((thread, index) => ({ name: thread, id: index + 1, cpumask: "1", elapsed })),
          },
        ],
      };
    },
  };
}
