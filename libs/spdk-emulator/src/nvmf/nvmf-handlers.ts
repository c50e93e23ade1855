import type { Handlers } from "../rpc/handler.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import type { NvmfContext } from "./context.ts";
import { hostHandlers } from "./host-handlers.ts";
import { listenerHandlers } from "./listener-handlers.ts";
import { namespaceHandlers } from "./namespace-handlers.ts";
import { nvmfStatisticsHandlers } from "./statistics-handlers.ts";
import { subsystemHandlers } from "./subsystem-handlers.ts";
import { transportHandlers } from "./transport-handlers.ts";

/** NVMe-oF: transports, subsystems, namespaces, listeners, hosts, and who is connected. */
export function nvmfHandlers(state: TargetState, version: Version): Handlers {
  const context: NvmfContext = {
    state,
    version,
    find: (nqn) => {
      const subsystem = state.subsystems.get(nqn);
      if (subsystem === undefined) throw version.missingSubsystem(nqn);
      return subsystem;
    },
  };
  return {
    ...transportHandlers(context),
    ...subsystemHandlers(context),
    ...listenerHandlers(context),
    ...namespaceHandlers(context),
    ...hostHandlers(context),
    ...nvmfStatisticsHandlers(context),
  };
}
