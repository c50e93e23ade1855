import { randomUUID } from "node:crypto";
import { join } from "node:path";

import { type Bdev, sizeBytes } from "../bdev/bdev.ts";
import type { Version } from "../version.ts";
import { allocatedClusters, type Lvol, newLvol, setParent } from "./lvol.ts";
import type { LvstoreLog, StoredLvol, StoredLvstore } from "./lvstore-log.ts";

const PAGE_BYTES = 4096;
const MASK_HEADER_BYTES = 5;

/** What an lvstore is made of. */
export interface LvstoreSpec {
  readonly dir: string;
  readonly version: Version;
  readonly base: Bdev;
  readonly name: string;
  readonly clusterSize: number;
  readonly uuid?: string;
  /** Clusters of the base when it was made or last grew. Default: those that it has now. */
  readonly baseClusters?: number;
}

/** A logical volume store on a base bdev. */
export class Lvstore {
  readonly uuid: string;
  readonly base: Bdev;
  readonly clusterSize: number;
  name: string;
  readonly #dir: string;
  readonly #version: Version;
  readonly #byName = new Map<string, Lvol>();
  /** Names of lvols that are being made. */
  readonly #reserved = new Set<string>();
  readonly #metadataClusters: number;
  #baseClusters: number;
  /** Where it is kept; none on a bdev that does not outlast the target. */
  log: LvstoreLog | undefined;
  /** Clusters of thick lvols that are being made. */
  reservedClusters = 0;

  constructor({ dir, version, base, name, clusterSize, uuid = randomUUID(), baseClusters }: LvstoreSpec) {
    this.#dir = dir;
    this.#version = version;
    this.base = base;
    this.name = name;
    this.clusterSize = clusterSize;
    this.uuid = uuid;
    this.#baseClusters = baseClusters ?? Number(sizeBytes(base) / BigInt(clusterSize));
    this.#metadataClusters = metadataClusters(this.#baseClusters, clusterSize);
  }

  /** Clusters for data: metadata takes the first ones. */
  get totalClusters(): number {
    return this.#baseClusters - this.#metadataClusters;
  }

  get freeClusters(): number {
    let used = this.reservedClusters;
    for (const lvol of this.lvols) used += allocatedClusters(lvol);
    return Math.max(0, this.totalClusters - used);
  }

  /** Lvols in the order in which they were made. */
  get lvols(): Iterable<Lvol> {
    return this.#byName.values();
  }

  /** Whether an lvol of this name is there, or on its way. */
  has(name: string): boolean {
    return this.#byName.has(name) || this.#reserved.has(name);
  }

  /** Keeps a name for an lvol that is being made. */
  reserve(name: string): void {
    this.#reserved.add(name);
  }

  /** The reservation is not needed any more. */
  release(name: string): void {
    this.#reserved.delete(name);
  }

  /** Makes an lvol that the store does not have yet. */
  newLvol(spec: { name: string; numBlocks: bigint; thin: boolean; uuid?: string }): Lvol {
    const uuid = spec.uuid ?? randomUUID();
    return newLvol({ ...spec, store: this, uuid, file: join(this.#dir, `lvol-${uuid}`) }, this.#version);
  }

  add(lvol: Lvol): void {
    this.#byName.set(lvol.lvolName, lvol);
  }

  delete(lvol: Lvol): void {
    setParent(lvol, undefined);
    this.#byName.delete(lvol.lvolName);
  }

  rename(lvol: Lvol, name: string): void {
    const order = [...this.#byName.values()];
    lvol.lvolName = name;
    this.#byName.clear();
    for (const each of order) this.#byName.set(each.lvolName, each);
  }

  /** Takes what its base has got. */
  grow(): void {
    this.#baseClusters = Math.max(this.#baseClusters, Number(sizeBytes(this.base) / BigInt(this.clusterSize)));
  }

  /** One entry of bdev_lvol_get_lvstores. */
  describe(): object {
    const growable = maskPages(this.#baseClusters) * PAGE_BYTES - MASK_HEADER_BYTES;
    return {
      uuid: this.uuid,
      name: this.name,
      base_bdev: this.base.name,
      total_data_clusters: this.totalClusters,
      free_clusters: this.freeClusters,
      block_size: this.base.blockSize,
      cluster_size: this.clusterSize,
      ...(this.#version.from("26.01") && { max_growable_size: BigInt(growable) * 8n * BigInt(this.clusterSize) }),
    };
  }

  /** What is kept of the store itself. */
  stored(): StoredLvstore {
    const { uuid, name, clusterSize } = this;
    return { uuid, name, clusterSize, baseClusters: this.#baseClusters };
  }

  /** Puts back what was kept of its lvols. */
  restore(stored: readonly StoredLvol[]): void {
    const byUuid = new Map<string, Lvol>();
    for (const { uuid, name, sizeBytes: bytes, thin, parent: _, ...rest } of stored) {
      const lvol = this.newLvol({ uuid, name, thin, numBlocks: BigInt(bytes) / BigInt(this.base.blockSize) });
      Object.assign(lvol, rest);
      byUuid.set(uuid, lvol);
      this.add(lvol);
    }
    for (const { uuid, parent } of stored) {
      const lvol = byUuid.get(uuid);
      if (lvol !== undefined && parent !== undefined) setParent(lvol, byUuid.get(parent));
    }
    // The blobstore knows snapshots by their clones: one that has none is read-only, and no more, after a load.
    for (const lvol of byUuid.values()) lvol.isSnapshot = lvol.clones.size > 0;
  }
}

function maskPages(bits: number): number {
  return Math.ceil((MASK_HEADER_BYTES + Math.ceil(bits / 8)) / PAGE_BYTES);
}

/** How many clusters the blobstore's metadata takes: super block, three masks and one page for each cluster. */
function metadataClusters(totalClusters: number, clusterSize: number): number {
  const masks = 3 * maskPages(totalClusters);
  return Math.ceil(((1 + masks + totalClusters) * PAGE_BYTES) / clusterSize);
}
