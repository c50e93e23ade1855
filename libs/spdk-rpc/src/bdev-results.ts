import type { Uint64 } from "./gen/params.ts";
import type { JsonObject } from "./json/json-value.ts";

/** A block device of the target (`bdev_get_bdevs`). Fields that only some versions send are optional. */
export interface Bdev {
  /** Of a lvol: its uuid. */
  readonly name: string;
  /** Of a lvol: `<lvstore>/<lvol>`. */
  readonly aliases: readonly string[];
  /** Such as "Logical Volume", "Malloc disk", "AIO disk". */
  readonly product_name: string;
  /** In bytes. */
  readonly block_size: number;
  readonly num_blocks: Uint64;
  readonly uuid: string;
  readonly numa_id?: number;
  /** Zero stands for no limit. */
  readonly assigned_rate_limits: BdevRateLimits;
  /** Whether a module of the target, such as an lvstore, holds it. */
  readonly claimed: boolean;
  /** How it is held; from v23.01 on, while it is. */
  readonly claim_type?: string;
  readonly zoned?: boolean;
  readonly supported_io_types: Readonly<Record<string, boolean>>;
  readonly driver_specific?: BdevDriverSpecific;
}

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

/** What a bdev's module adds: one member, named by the module. */
export interface BdevDriverSpecific {
  readonly lvol?: BdevLvol;
  readonly aio?: BdevAio;
  /** Members of other modules. */
  readonly [module: string]: object | JsonObject[string];
}

/** The lvol behind a bdev. */
export interface BdevLvol {
  readonly lvol_store_uuid: string;
  /** The bdev that the lvstore lies on. */
  readonly base_bdev: string;
  readonly thin_provision: boolean;
  /** From v24.05 on. A clone shows zero although the data of its snapshot is there. */
  readonly num_allocated_clusters?: Uint64;
  readonly snapshot: boolean;
  /** A volume becomes a clone once it has a snapshot. */
  readonly clone: boolean;
  /** Of a clone: the name of its snapshot, in the same lvstore. */
  readonly base_snapshot?: string;
  /** Of a snapshot with clones: their names, in the same lvstore. */
  readonly clones?: readonly string[];
  /** Whether it is a clone of a bdev outside the lvstore; from v23.05 on. */
  readonly esnap_clone?: boolean;
  /** Of such a clone: the bdev's name. */
  readonly external_snapshot_name?: string;
}

/** The file behind an AIO bdev. */
export interface BdevAio {
  readonly filename: string;
  readonly block_size_override?: boolean;
  readonly readonly?: boolean;
  readonly fallocate?: boolean;
  readonly nowait?: boolean;
}

/** An lvstore (`bdev_lvol_get_lvstores`). */
export interface Lvstore {
  readonly uuid: string;
  readonly name: string;
  readonly base_bdev: string;
  readonly total_data_clusters: Uint64;
  readonly free_clusters: Uint64;
  /** In bytes. */
  readonly block_size: number;
  /** In bytes. */
  readonly cluster_size: number;
  /** In bytes; from v26.01 on. */
  readonly max_growable_size?: Uint64;
}

/** A lvol (`bdev_lvol_get_lvols`, from v23.05 on). */
export interface Lvol {
  /** `<lvstore>/<lvol>`. */
  readonly alias: string;
  readonly uuid: string;
  readonly name: string;
  readonly is_thin_provisioned: boolean;
  readonly is_snapshot: boolean;
  readonly is_clone: boolean;
  readonly is_esnap_clone: boolean;
  /** Whether the external snapshot under it is missing. */
  readonly is_degraded: boolean;
  /** From v24.05 on. */
  readonly num_allocated_clusters?: Uint64;
  readonly lvs: { readonly name: string; readonly uuid: string };
}
