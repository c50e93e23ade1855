import type { Uint64 } from "../gen/params.ts";

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

/** The lvol behind a bdev (`bdev_get_bdevs`). */
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
  /** Of such a clone: the uuid of that bdev, as a rule. */
  readonly external_snapshot_name?: string;
}

/** The start of a shallow copy (`bdev_lvol_start_shallow_copy`, from v24.05 on). */
export interface LvolShallowCopy {
  /** For `bdev_lvol_check_shallow_copy`. */
  readonly operation_id: number;
}

/** How far a shallow copy is (`bdev_lvol_check_shallow_copy`, from v24.05 on). */
export interface LvolShallowCopyStatus {
  readonly copied_clusters: Uint64;
  /** The clusters that are to be copied. */
  readonly total_clusters: Uint64;
  readonly state: "in progress" | "complete" | "error";
  /** Of an error: what happened. */
  readonly error?: string;
}
