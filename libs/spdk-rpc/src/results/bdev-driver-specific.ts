import type { BdevNvmeMultipathPolicy, BdevNvmeMultipathSelector, Uint64 } from "../gen/params.ts";
import type { JsonValue } from "../json/json-value.ts";
import type { BdevNvmeNamespace } from "./bdev-nvme.ts";
import type { BdevRaid } from "./bdev-raid.ts";
import type { BdevLvol } from "./lvol.ts";

/** What a bdev's module adds to it, as a rule one member that is named by the module. Malloc and null bdevs add none. */
export interface BdevDriverSpecific {
  readonly lvol?: BdevLvol;
  readonly aio?: BdevAio;
  /** One for each path. */
  readonly nvme?: readonly BdevNvmeNamespace[];
  /** How the paths of an NVMe bdev are used. */
  readonly mp_policy?: BdevNvmeMultipathPolicy;
  /** Which of its paths an active-active NVMe bdev takes; from v23.01 on. */
  readonly selector?: BdevNvmeMultipathSelector;
  /** After how many I/Os the round robin of an NVMe bdev moves on; from v23.01 on. */
  readonly rr_min_io?: number;
  readonly passthru?: BdevPassthru;
  readonly raid?: Omit<BdevRaid, "name">;
  readonly error_disk?: BdevErrorDisk;
  readonly delay?: BdevDelay;
  readonly split?: BdevSplit;
  readonly zoned_block?: BdevZonedBlock;
  readonly crypto?: BdevCrypto;
  /** Members of other modules. */
  readonly [module: string]: object | JsonValue | undefined;
}

/** The file behind an AIO bdev. */
export interface BdevAio {
  readonly filename: string;
  /** Whether the block size was asked for, and is not the device's own; from v23.01 on. */
  readonly block_size_override?: boolean;
  /** From v23.01 on. */
  readonly readonly?: boolean;
  /** Whether unmapping gives the file's space back; from v24.05 on. */
  readonly fallocate?: boolean;
  /** Whether I/O that would block fails at first; from v26.01 on. */
  readonly nowait?: boolean;
}

/** The bdev under a passthru bdev. */
export interface BdevPassthru {
  readonly name: string;
  readonly base_bdev_name: string;
}

/** The bdev that a split is a part of. */
export interface BdevSplit {
  readonly base_bdev: string;
  /** Where the part begins, in blocks. */
  readonly offset_blocks: Uint64;
}

/** The bdev that injected errors hide. */
export interface BdevErrorDisk {
  readonly base_bdev: string;
}

/** The latencies that a delay bdev adds, in microseconds; one less than what was asked for where ticks do not fit. */
export interface BdevDelay {
  readonly name: string;
  readonly base_bdev_name: string;
  /** From v23.05 on. */
  readonly uuid?: string;
  readonly avg_read_latency: Uint64;
  readonly p99_read_latency: Uint64;
  readonly avg_write_latency: Uint64;
  readonly p99_write_latency: Uint64;
}

/** The bdev under a bdev with emulated zones. */
export interface BdevZonedBlock {
  readonly name: string;
  readonly base_bdev: string;
  /** In blocks. */
  readonly zone_capacity: Uint64;
  readonly optimal_open_zones: Uint64;
}

/** The bdev under a crypto bdev; from v23.01 on (before, the key itself stands there). */
export interface BdevCrypto {
  readonly name: string;
  readonly base_bdev_name: string;
  /** The name of the key (`accel_crypto_keys_get`). */
  readonly key_name: string;
}
