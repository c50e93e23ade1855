import type { Handlers } from "../rpc/handler.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import { authHandlers } from "./auth-handlers.ts";
import { groupHandlers } from "./group-handlers.ts";
import { ISCSI_OPTIONS, ISCSI_POOLS } from "./iscsi-state.ts";
import { targetNodeHandlers } from "./target-node-handlers.ts";

/** iSCSI, RPCs only: nobody can log in. */
export function iscsiHandlers(state: TargetState, version: Version): Handlers {
  const { iscsi } = state;
  return {
    iscsi_get_options: () => ({ ...ISCSI_OPTIONS, ...iscsi.discoveryAuth, ...ISCSI_POOLS }),
    ...groupHandlers(iscsi),
    ...authHandlers(iscsi),
    ...targetNodeHandlers(state, version),
    iscsi_get_connections: () => [],
    iscsi_get_stats: () => ({ invalid: 0, running: 0, exiting: 0, exited: 0 }),
    scsi_get_devices: () => [...iscsi.nodes.keys()].map((device_name, id) => ({ id, device_name })),
  };
}
