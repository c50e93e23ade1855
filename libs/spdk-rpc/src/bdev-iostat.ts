import type { Uint64 } from "./gen/params.ts";
import type { JsonValue } from "./json/json-value.ts";

/** Counters of bdevs (`bdev_get_iostat`) since their creation or the last reset. */
export interface BdevIostat {
  /** Ticks per second: the unit of everything that ends in `_ticks`. */
  readonly tick_rate: Uint64;
  readonly ticks: Uint64;
  readonly bdevs: readonly BdevIostatEntry[];
}

/** The counters of one bdev. Latencies are sums over all operations, in ticks; fields come and go with versions. */
export interface BdevIostatEntry {
  readonly name: string;
  readonly bytes_read: Uint64;
  readonly num_read_ops: Uint64;
  readonly bytes_written: Uint64;
  readonly num_write_ops: Uint64;
  readonly bytes_unmapped: Uint64;
  readonly num_unmap_ops: Uint64;
  readonly bytes_copied?: Uint64;
  readonly num_copy_ops?: Uint64;
  readonly read_latency_ticks: Uint64;
  readonly max_read_latency_ticks?: Uint64;
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
  /** Failed operations by kind; empty when there were none. */
  readonly io_error?: { readonly [kind: string]: JsonValue };
}
