import type { Topology, VolumeCapability, VolumeContentSource } from "../../src/gen/csi.ts";

/** What the storage has and how it is cut. */
export const CAPACITY_BYTES: bigint = 100n << 30n;
export const BLOCK_BYTES: bigint = 1n << 20n;
export const MAX_VOLUMES_PER_NODE = 8;
export const NODES = ["node-1", "node-2"] as const;
export const TOPOLOGY: Topology = { segments: { "memory.example.org/rack": "rack-1" } };

export interface MemoryVolume {
  readonly id: string;
  readonly name: string;
  bytes: bigint;
  readonly contentSource: VolumeContentSource | undefined;
  /** What was last written to each block. */
  readonly blocks: Map<number, number>;
  /** Where it is published. */
  readonly nodes: Map<string, { readonly readonly: boolean }>;
}

export interface MemorySnapshot {
  readonly id: string;
  readonly name: string;
  readonly volumeId: string;
  readonly bytes: bigint;
  readonly creationTime: Date;
  readonly blocks: ReadonlyMap<number, number>;
  readonly groupId: string;
}

export interface MemoryGroup {
  readonly id: string;
  readonly name: string;
  readonly volumeIds: readonly string[];
  readonly snapshotIds: readonly string[];
  readonly creationTime: Date;
}

/** A path on the node: a staging path, or a target path. */
export interface MemoryMount {
  readonly volumeId: string;
  readonly kind: "staged" | "published";
  readonly capability: VolumeCapability;
  readonly readonly: boolean;
}

/** All that a memory driver knows. */
export class MemoryStorage {
  readonly volumes: Map<string, MemoryVolume> = new Map();
  readonly snapshots: Map<string, MemorySnapshot> = new Map();
  readonly groups: Map<string, MemoryGroup> = new Map();
  /** What is at each path of the node. */
  readonly mounts: Map<string, MemoryMount> = new Map();
  #lastNumber = 0;

  /** An id that nothing had before. */
  newId(kind: string): string {
    this.#lastNumber += 1;
    return `${kind}-${String(this.#lastNumber).padStart(6, "0")}`;
  }

  get freeBytes(): bigint {
    return [...this.volumes.values()].reduce((free, { bytes }) => free - bytes, CAPACITY_BYTES);
  }

  /** Writes a block that is not the last one written, most of them never written before. */
  write(volumeId: string): void {
    const volume = this.volumes.get(volumeId);
    if (volume === undefined) throw new Error(`there is no volume ${volumeId}`);
    this.#lastNumber += 1;
    const count = Number(volume.bytes / BLOCK_BYTES);
    volume.blocks.set((this.#lastNumber * 37) % count, this.#lastNumber);
  }
}
