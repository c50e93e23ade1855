import type { Bdev } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";

/** A logical volume as the driver sees it, read from `bdev_get_bdevs`. */
export interface Lvol {
  readonly uuid: string;
  /** `<lvstore>/<name>`. */
  readonly alias: string;
  readonly lvstore: string;
  readonly name: string;
  readonly sizeBytes: bigint;
  readonly thin: boolean;
  /** Whether SPDK calls it a snapshot: of one without clones it forgets that with every load of the lvstore. */
  readonly isSnapshot: boolean;
  /** Whether it takes no writes, as snapshots do for good. */
  readonly isReadOnly: boolean;
  readonly isClone: boolean;
  /** The name of the snapshot under a clone, in the same lvstore. */
  readonly baseSnapshot: string | undefined;
  /** Names of the clones of a snapshot, in the same lvstore. */
  readonly clones: readonly string[];
  /** Clusters that are allocated to it alone; undefined where the target does not tell (before v24.05). */
  readonly allocatedClusters: bigint | undefined;
  /** Whether the target proves that nothing was ever written, or all of it was unmapped (v24.05 and later can). */
  readonly provenBlank: boolean;
  /** Whether a module of the target, such as an NVMe-oF subsystem, holds it. */
  readonly claimed: boolean;
}

/** Reads one bdev; undefined when it is no logical volume. */
export function toLvol(bdev: Bdev): Lvol | undefined {
  const lvol = bdev.driver_specific?.lvol;
  const alias = bdev.aliases[0];
  if (lvol === undefined) return undefined;
  const slash = alias?.indexOf("/") ?? -1;
  if (alias === undefined || slash === -1) {
    throw new DriverError("TARGET_MISBEHAVED", `lvol ${bdev.name} has no alias of the form lvstore/name`);
  }
  const { num_allocated_clusters: allocated, snapshot, clone } = lvol;
  const allocatedClusters = allocated === undefined ? undefined : BigInt(allocated);
  return {
    uuid: bdev.name,
    alias,
    lvstore: alias.slice(0, slash),
    name: alias.slice(slash + 1),
    sizeBytes: BigInt(bdev.num_blocks) * BigInt(bdev.block_size),
    thin: lvol.thin_provision,
    isSnapshot: snapshot,
    isReadOnly: bdev.supported_io_types["write"] === false,
    isClone: clone,
    baseSnapshot: lvol.base_snapshot,
    clones: lvol.clones ?? [],
    allocatedClusters,
    // After a snapshot a written volume shows no allocated cluster either: it has become a clone.
    provenBlank: lvol.thin_provision && allocatedClusters === 0n && !snapshot && !clone && lvol.esnap_clone === false,
    claimed: bdev.claimed,
  };
}
