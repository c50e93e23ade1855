import { TICK_RATE } from "../bdev/statistics-handlers.ts";
import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { invalidParameters } from "../rpc/rpc-error.ts";
import type { NvmfContext } from "./context.ts";

/** nvmf_get_stats. There is one poll group, as a target of one core has. */
export function nvmfStatisticsHandlers({ state, version }: NvmfContext): Handlers {
  return {
    nvmf_get_stats: (params = {}) => {
      decode(params, { tgt_name: "string?" }, invalidParameters());
      const { counts } = state.dataPlane;
      const controllers = [...state.subsystems.values()].flatMap((subsystem) => [...subsystem.controllers.values()]);
      const group = {
        name: version.from("24.05") ? "nvmf_tgt_poll_group_000" : "nvmf_tgt_poll_group_0",
        admin_qpairs: counts.adminQueues,
        io_qpairs: counts.ioQueues,
        current_admin_qpairs: controllers.length,
        current_io_qpairs: controllers.reduce((sum, { ioQueues }) => sum + ioQueues.size, 0),
        ...(version.from("26.05") && { current_unassociated_qpairs: 0 }),
        pending_bdev_io: 0,
        ...(version.from("23.01") && { completed_nvme_io: counts.commands }),
        transports: [...state.transports.keys()].map((trtype) => ({ trtype })),
      };
      return { tick_rate: TICK_RATE, poll_groups: [group] };
    },
  };
}
