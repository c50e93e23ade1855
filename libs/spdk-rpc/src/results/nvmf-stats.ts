import type { Uint64 } from "../gen/params.ts";
import type { JsonValue } from "../json/json-value.ts";

/** What the target does for its hosts (`nvmf_get_stats`). */
export interface NvmfStats {
  /** Ticks per second. */
  readonly tick_rate: Uint64;
  /** One for each thread that serves hosts. */
  readonly poll_groups: readonly NvmfPollGroupStats[];
}

/** The queue pairs and commands of one thread. */
export interface NvmfPollGroupStats {
  readonly name: string;
  /** Since the start of the target. */
  readonly admin_qpairs: number;
  /** Since the start of the target. */
  readonly io_qpairs: number;
  readonly current_admin_qpairs: number;
  readonly current_io_qpairs: number;
  /** Connections that are of no controller yet; from v26.05 on. */
  readonly current_unassociated_qpairs?: number;
  readonly pending_bdev_io: Uint64;
  /** From v23.01 on. */
  readonly completed_nvme_io?: Uint64;
  readonly transports: readonly NvmfPollGroupTransportStats[];
}

/** The counters of a transport: TCP has none; those of RDMA stand per device. */
export interface NvmfPollGroupTransportStats {
  readonly trtype: string;
  readonly [counter: string]: JsonValue;
}
