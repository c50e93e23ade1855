import type { Uint64 } from "../gen/params.ts";
import type { JsonValue } from "../json/json-value.ts";

/** Counters of bdevs (`bdev_get_iostat`) since their creation or the last reset. */
export interface BdevIostat {
  /** Ticks per second: the unit of everything that ends in `_ticks`. */
  readonly tick_rate: Uint64;
  /** The time of this answer. */
  readonly ticks: Uint64;
  readonly bdevs: readonly BdevIostatEntry[];
  readonly name?: undefined;
  readonly channels?: undefined;
}

/** Counters of one bdev, thread by thread (`bdev_get_iostat` with `per_channel`, from v23.01 on). */
export interface BdevChannelIostat {
  /** Ticks per second. */
  readonly tick_rate: Uint64;
  readonly ticks: Uint64;
  readonly name: string;
  /** One for each thread that has the bdev open. */
  readonly channels: readonly BdevChannelCounters[];
  readonly bdevs?: undefined;
}

/** The counters of one bdev. */
export interface BdevIostatEntry extends BdevIoCounters {
  readonly name: string;
  /** In microseconds; this and the three that follow only with `bdev_set_qd_sampling_period`. */
  readonly queue_depth_polling_period?: Uint64;
  /** At the last sample; 2^64 - 1 before the first one. */
  readonly queue_depth?: Uint64;
  /** In microseconds, with I/O outstanding. */
  readonly io_time?: Uint64;
  /** In microseconds, times the queue depth. */
  readonly weighted_io_time?: Uint64;
  /** Of NVMe bdevs with `nvme_error_stat`: failed commands; from v23.01 on. */
  readonly driver_specific?: {
    readonly nvme_error?: {
      readonly status_type: Readonly<Record<string, number>>;
      readonly status_code: Readonly<Record<string, number>>;
    };
    readonly [module: string]: object | JsonValue | undefined;
  };
}

/** The counters of a bdev in one thread. */
export interface BdevChannelCounters extends BdevIoCounters {
  /** See `thread_get_stats`. */
  readonly thread_id: Uint64;
}

/** How much I/O there was. Latencies are sums over all operations, in ticks. */
export interface BdevIoCounters {
  readonly bytes_read: Uint64;
  readonly num_read_ops: Uint64;
  readonly bytes_written: Uint64;
  readonly num_write_ops: Uint64;
  readonly bytes_unmapped: Uint64;
  readonly num_unmap_ops: Uint64;
  /** From v23.01 on, as everything about copies, longest and shortest. */
  readonly bytes_copied?: Uint64;
  readonly num_copy_ops?: Uint64;
  readonly read_latency_ticks: Uint64;
  readonly max_read_latency_ticks?: Uint64;
  /** Zero where nothing was read; so the other minima. */
  readonly min_read_latency_ticks?: Uint64;
  readonly write_latency_ticks: Uint64;
  readonly max_write_latency_ticks?: Uint64;
  readonly min_write_latency_ticks?: Uint64;
  readonly unmap_latency_ticks: Uint64;
  readonly max_unmap_latency_ticks?: Uint64;
  readonly min_unmap_latency_ticks?: Uint64;
  readonly copy_latency_ticks?: Uint64;
  readonly max_copy_latency_ticks?: Uint64;
  readonly min_copy_latency_ticks?: Uint64;
  /** Failed operations by kind; empty when there were none. From v23.01 on, and not of paths. */
  readonly io_error?: { readonly [kind: string]: JsonValue };
}
