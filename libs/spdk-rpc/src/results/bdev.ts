import type { Uint64 } from "../gen/params.ts";
import type { BdevDriverSpecific } from "./bdev-driver-specific.ts";

/** A block device of the target (`bdev_get_bdevs`). */
export interface Bdev {
  /** Of a lvol: its uuid. */
  readonly name: string;
  /** Of a lvol: `<lvstore>/<lvol>`; of most others: the uuid. */
  readonly aliases: readonly string[];
  /** Such as "Logical Volume", "Malloc disk", "AIO disk", "NVMe disk". */
  readonly product_name: string;
  /** In bytes, interleaved metadata included. */
  readonly block_size: number;
  readonly num_blocks: Uint64;
  /** In blocks; from v25.09 on, as the four that follow. */
  readonly preferred_write_alignment?: number;
  /** In blocks. */
  readonly preferred_write_granularity?: number;
  /** In blocks; zero where the bdev knows none. */
  readonly optimal_write_size?: number;
  /** In blocks. */
  readonly preferred_unmap_alignment?: number;
  /** In blocks. */
  readonly preferred_unmap_granularity?: number;
  readonly uuid: string;
  /** The NUMA node, -1 for any; from v24.09 on, where the bdev's module names one. */
  readonly numa_id?: number;
  /** In bytes per block; this and the five that follow only where blocks carry metadata. */
  readonly md_size?: number;
  /** Whether metadata lies between the blocks' data. */
  readonly md_interleave?: boolean;
  /** The type of protection information, 1 to 3; zero stands for none. */
  readonly dif_type?: number;
  /** Only with protection information, as the two that follow. */
  readonly dif_is_head_of_md?: boolean;
  readonly enabled_dif_check_types?: BdevDifCheckTypes;
  /** The format of the guard: 0 for 16 bits, 1 for 32, 2 for 64; from v24.09 on. */
  readonly dif_pi_format?: number;
  /** Zero stands for no limit. */
  readonly assigned_rate_limits: BdevRateLimits;
  /** Whether a module of the target, such as an lvstore, holds it. */
  readonly claimed: boolean;
  /** How it is held; from v23.05 on, while it is. */
  readonly claim_type?: BdevClaimType;
  readonly zoned: boolean;
  /** In blocks; this and the two that follow only of zoned bdevs. */
  readonly zone_size?: Uint64;
  /** Zero stands for no limit. */
  readonly max_open_zones?: Uint64;
  readonly optimal_open_zones?: Uint64;
  /** By the type of I/O, such as "read", "write", "unmap"; newer versions know more types. */
  readonly supported_io_types: Readonly<Record<string, boolean>>;
  /** Where the bdev takes I/O from other memory than the host's. */
  readonly memory_domains?: readonly BdevMemoryDomain[];
  /** What the bdev's module tells; empty for modules that tell nothing. */
  readonly driver_specific: BdevDriverSpecific;
}

/** How a module holds a bdev: alone, or as the only writer, beside readers, or beside others that write by agreement. */
export type BdevClaimType =
  | "exclusive_write"
  | "read_many_write_one"
  | "read_many_write_none"
  | "read_many_write_shared";

/** The limits that `bdev_set_qos_limit` sets; zero stands for none. */
export interface BdevRateLimits {
  readonly rw_ios_per_sec: Uint64;
  /** In MiB per second. */
  readonly rw_mbytes_per_sec: Uint64;
  /** In MiB per second. */
  readonly r_mbytes_per_sec: Uint64;
  /** In MiB per second. */
  readonly w_mbytes_per_sec: Uint64;
}

/** Which parts of the protection information are checked. */
export interface BdevDifCheckTypes {
  readonly reftag: boolean;
  readonly apptag: boolean;
  readonly guard: boolean;
}

/** Memory that a bdev can work on. */
export interface BdevMemoryDomain {
  /** Such as "DMA" or "ACCEL"; a number up to v26.01. */
  readonly dma_device_type: string | number;
  /** Such as "system"; up to v26.01. */
  readonly dma_device_id?: string;
}

/** How often I/O took how long, since `bdev_enable_histogram`. Ranges of latencies hold as many buckets each. */
export interface Histogram {
  /** The counts of the buckets, range by range: little-endian uint64s, in base64. */
  readonly histogram: string;
  /** Up to v24.09: a range has 2 to the power of this buckets. */
  readonly bucket_shift?: number;
  /** The same from v25.05 on. */
  readonly granularity?: number;
  /** The index of the first range that is counted; from v25.05 on. */
  readonly min_range?: number;
  /** The index of the last range that is counted; from v25.05 on. */
  readonly max_range?: number;
  /** Ticks per second: latencies are counted in ticks. */
  readonly tsc_rate: Uint64;
}

/** How often I/O took how long (`bdev_get_histogram_borders`, from v26.05 on). */
export interface HistogramBorders {
  /** One count for each of the given times, of what took longer than the one before; and one of what took longer than all. */
  readonly borders_count: readonly Uint64[];
}
