import { type Bdev, noLimits, sizeBytes } from "../bdev/bdev.ts";
import { allocatedBytes } from "../bdev/sparse-file.ts";
import { BlockFile } from "../block/block-file.ts";
import type { Version } from "../version.ts";
import type { Lvstore } from "./lvstore.ts";

/** The least that a list of extents takes. */
const EXTENT_LIST_BYTES = 4096;

/** A logical volume or snapshot; its bytes, those inherited too, are a sparse file of its own. */
export interface Lvol extends Bdev {
  readonly file: string;
  readonly store: Lvstore;
  lvolName: string;
  thin: boolean;
  isSnapshot: boolean;
  readOnly: boolean;
  parent: Lvol | undefined;
  /** The lvols whose parent it is, in the order in which they became that. */
  readonly clones: Set<Lvol>;
  /** The uuid of the bdev outside of the lvstore that it is a clone of. */
  externalParent: string | undefined;
  /** Clusters that it owned when its file took `baselineBytes`: what has come since is its own, too. */
  ownedClusters: number;
  baselineBytes: number;
  /** Clusters that hosts have written since then; unlike the file it shows writes over inherited bytes. */
  readonly writtenClusters: Set<number>;
  /** Whether an operation on it is under way. */
  busy: boolean;
}

/** What a new lvol is made of. */
export interface LvolSpec {
  readonly store: Lvstore;
  readonly uuid: string;
  readonly file: string;
  readonly name: string;
  readonly numBlocks: bigint;
  readonly thin: boolean;
}

/** Makes an lvol in memory. */
export function newLvol({ store, uuid, file, name, numBlocks, thin }: LvolSpec, version: Version): Lvol {
  const lvol: Lvol = {
    store,
    name: uuid,
    uuid,
    productName: "Logical Volume",
    blockSize: store.base.blockSize,
    file,
    numBlocks,
    claim: "none",
    limits: noLimits(),
    limitsFixed: false,
    statistics: undefined,
    base: store.base,
    open: () => new BlockFile(file),
    lvolName: name,
    thin,
    isSnapshot: false,
    readOnly: false,
    parent: undefined,
    clones: new Set(),
    externalParent: undefined,
    ownedClusters: 0,
    baselineBytes: 0,
    writtenClusters: new Set(),
    onWrite(offset, length) {
      const { clusterSize } = store;
      const last = Math.floor((offset + length - 1) / clusterSize);
      for (let at = Math.floor(offset / clusterSize); at <= last; at += 1) lvol.writtenClusters.add(at);
    },
    onDeallocate(offset, length) {
      const { clusterSize } = store;
      const end = Math.floor((offset + length) / clusterSize);
      for (let at = Math.ceil(offset / clusterSize); at < end; at += 1) lvol.writtenClusters.delete(at);
    },
    busy: false,
    aliases: () => [aliasOf(lvol)],
    driverSpecific: () => ({ lvol: describeDriver(lvol, version) }),
    get memoryDomains() {
      return lvol.externalParent !== undefined;
    },
  };
  return lvol;
}

/** The name by which users call it. */
export function aliasOf({ store, lvolName }: Lvol): string {
  return `${store.name}/${lvolName}`;
}

/** An lvol's size in clusters. */
export function clustersOf(lvol: Lvol): number {
  return Number(sizeBytes(lvol) / BigInt(lvol.store.clusterSize));
}

/** Gives an lvol another parent. */
export function setParent(lvol: Lvol, parent: Lvol | undefined): void {
  lvol.parent?.clones.delete(lvol);
  lvol.parent = parent;
  parent?.clones.add(lvol);
}

/**
 * Clusters that an lvol owns, 0 when nothing was ever written to it. A write over inherited bytes is seen if it came over
 * NVMe/TCP, and until the target ends.
 */
export function allocatedClusters(lvol: Lvol): number {
  const all = clustersOf(lvol);
  if (!lvol.thin) return all;
  const since = lvol.readOnly ? 0 : allocatedBytes(lvol.file) - lvol.baselineBytes;
  const written = Math.max(lvol.writtenClusters.size, clustersIn(since, lvol.store.clusterSize));
  return Math.min(all, lvol.ownedClusters + written);
}

/**
 * Clusters that bytes of a file stand for. Some of them are not data: filesystems charge a file for its lists of extents,
 * up to 1/340 of its data where every block is an extent of its own. But whoever takes anything takes a cluster, so that
 * an lvol that was written to is never taken for a blank one.
 */
export function clustersIn(bytes: number, clusterSize: number): number {
  if (bytes <= 0) return 0;
  const data = bytes - bytes / 256 - EXTENT_LIST_BYTES;
  return Math.max(1, Math.ceil(data / clusterSize));
}

/** Counts what an lvol owns from now on: this, and what its file takes beyond what it takes now. */
export function countFromNow(lvol: Lvol, ownedClusters: number): void {
  lvol.ownedClusters = ownedClusters;
  lvol.baselineBytes = allocatedBytes(lvol.file);
  lvol.writtenClusters.clear();
}

function describeDriver(lvol: Lvol, version: Version): object {
  const { store, parent, clones, externalParent } = lvol;
  return {
    lvol_store_uuid: store.uuid,
    base_bdev: store.base.name,
    thin_provision: lvol.thin,
    ...(version.from("24.05") && { num_allocated_clusters: allocatedClusters(lvol) }),
    snapshot: lvol.isSnapshot,
    clone: parent !== undefined,
    ...(parent !== undefined && { base_snapshot: parent.lvolName }),
    ...(clones.size > 0 && { clones: [...clones].map((clone) => clone.lvolName) }),
    ...(version.from("23.05") && { esnap_clone: externalParent !== undefined }),
    ...(externalParent !== undefined && { external_snapshot_name: externalParent }),
  };
}

/** One entry of bdev_lvol_get_lvols. */
export function describeLvol(lvol: Lvol, version: Version): object {
  return {
    alias: aliasOf(lvol),
    uuid: lvol.uuid,
    name: lvol.lvolName,
    is_thin_provisioned: lvol.thin,
    is_snapshot: lvol.isSnapshot,
    is_clone: lvol.parent !== undefined,
    is_esnap_clone: lvol.externalParent !== undefined,
    is_degraded: false,
    ...(version.from("24.05") && { num_allocated_clusters: allocatedClusters(lvol) }),
    lvs: { name: lvol.store.name, uuid: lvol.store.uuid },
  };
}
