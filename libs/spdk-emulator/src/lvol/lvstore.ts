import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

import { type Bdev, noLimits } from "../bdev/bdev.ts";
import { allocatedBytes } from "../bdev/sparse-file.ts";

/** What stands at the start of a bdev that holds an lvstore, with the lvstore's uuid behind it. */
const MARK = "spdk-emulator lvstore ";
const UUID_LENGTH = 36;

/** A logical volume or snapshot; its bytes are a sparse file of its own. */
export interface Lvol extends Bdev {
  readonly store: Lvstore;
  lvolName: string;
  thin: boolean;
  isSnapshot: boolean;
  parent: Lvol | undefined;
  /** Bytes that its file took when its parent was split off: what it owns is what came since. */
  baselineBytes: bigint;
  readOnly: boolean;
  /** Whether an operation on it is under way. */
  busy: boolean;
}

/** What outlasts the emulator of an lvol. */
interface StoredLvol {
  readonly uuid: string;
  readonly name: string;
  readonly sizeBytes: string;
  readonly thin: boolean;
  readonly isSnapshot: boolean;
  readonly readOnly: boolean;
  readonly parent: string | null;
  readonly baselineBytes: string;
}

interface StoredLvstore {
  readonly uuid: string;
  readonly name: string;
  readonly clusterSize: number;
  readonly lvols: readonly StoredLvol[];
}

/** A logical volume store on a base bdev. */
export class Lvstore {
  readonly uuid: string;
  readonly base: Bdev;
  readonly clusterSize: number;
  name: string;
  /** Lvols in the order in which they were made. */
  readonly lvols: Set<Lvol> = new Set();
  readonly #dir: string;

  constructor(dir: string, base: Bdev, name: string, clusterSize: number, uuid: string = randomUUID()) {
    this.#dir = dir;
    this.base = base;
    this.name = name;
    this.clusterSize = clusterSize;
    this.uuid = uuid;
  }

  /** Clusters for data: metadata takes the first ones. */
  get totalClusters(): bigint {
    const bytes = this.base.numBlocks * BigInt(this.base.blockSize);
    const clusters = bytes / BigInt(this.clusterSize);
    // One md page of 4 KiB a cluster, and the superblock and masks before them.
    const metadata = clusters * 4096n + 3n * 4096n;
    return clusters - ceilDiv(metadata, BigInt(this.clusterSize));
  }

  get freeClusters(): bigint {
    let used = 0n;
    for (const lvol of this.lvols) used += this.allocatedClusters(lvol);
    return used > this.totalClusters ? 0n : this.totalClusters - used;
  }

  /** Clusters that an lvol owns: all of a thick one; else what its file took on disk since its parent was split off. */
  allocatedClusters(lvol: Lvol): bigint {
    const all = ceilDiv(lvol.numBlocks * BigInt(lvol.blockSize), BigInt(this.clusterSize));
    if (!lvol.thin) return all;
    const bytes = allocatedBytes(lvol.file) - lvol.baselineBytes;
    const owned = bytes <= 0n ? 0n : ceilDiv(bytes, BigInt(this.clusterSize));
    return owned > all ? all : owned;
  }

  findLvol(name: string): Lvol | undefined {
    return [...this.lvols].find((lvol) => lvol.lvolName === name);
  }

  clonesOf(snapshot: Lvol): Lvol[] {
    return [...this.lvols].filter((lvol) => lvol.parent === snapshot);
  }

  /** Makes an lvol's entry; its file is the caller's to make. */
  addLvol(fields: { name: string; numBlocks: bigint; thin: boolean; uuid?: string }): Lvol {
    const uuid = fields.uuid ?? randomUUID();
    const lvol: Lvol = {
      store: this,
      name: uuid,
      uuid,
      productName: "Logical Volume",
      blockSize: this.base.blockSize,
      file: join(this.#dir, `lvol-${uuid}`),
      numBlocks: fields.numBlocks,
      claim: "none",
      limits: noLimits(),
      lvolName: fields.name,
      thin: fields.thin,
      isSnapshot: false,
      parent: undefined,
      baselineBytes: 0n,
      readOnly: false,
      busy: false,
      aliases: () => [`${this.name}/${lvol.lvolName}`],
      driverSpecific: () => ({ lvol: this.#describe(lvol) }),
    };
    this.lvols.add(lvol);
    return lvol;
  }

  #describe(lvol: Lvol): object {
    const clones = this.clonesOf(lvol).map((clone) => clone.lvolName);
    return {
      lvol_store_uuid: this.uuid,
      base_bdev: this.base.name,
      thin_provision: lvol.thin,
      num_allocated_clusters: this.allocatedClusters(lvol),
      snapshot: lvol.isSnapshot,
      clone: lvol.parent !== undefined,
      ...(lvol.parent !== undefined && { base_snapshot: lvol.parent.lvolName }),
      ...(clones.length > 0 && { clones }),
      esnap_clone: false,
    };
  }

  /** Writes what must outlast the emulator: the mark on the base, and beside it the list of lvols. */
  save(): void {
    const stored: StoredLvstore = {
      uuid: this.uuid,
      name: this.name,
      clusterSize: this.clusterSize,
      lvols: [...this.lvols].map((lvol) => ({
        uuid: lvol.uuid,
        name: lvol.lvolName,
        sizeBytes: (lvol.numBlocks * BigInt(lvol.blockSize)).toString(),
        thin: lvol.thin,
        isSnapshot: lvol.isSnapshot,
        readOnly: lvol.readOnly,
        parent: lvol.parent?.uuid ?? null,
        baselineBytes: lvol.baselineBytes.toString(),
      })),
    };
    const path = listPath(this.#dir, this.uuid);
    writeFileSync(`${path}.new`, JSON.stringify(stored), { flush: true });
    renameSync(`${path}.new`, path);
  }

  /** Marks the base bdev as this lvstore's. */
  mark(): void {
    writeHead(this.base.file, `${MARK}${this.uuid}`);
  }

  /** Takes the mark away, and the list with it. */
  unmark(): void {
    writeHead(this.base.file, "\0".repeat(MARK.length + UUID_LENGTH));
  }

  /** The lvstore that a bdev holds, as it was saved. */
  static load(dir: string, base: Bdev): Lvstore | undefined {
    const uuid = readMark(base.file);
    if (uuid === undefined) return undefined;
    let stored: StoredLvstore;
    try {
      stored = JSON.parse(readFileSync(listPath(dir, uuid), "utf8"));
    } catch {
      // The mark of another directory's emulator: its lvols are not here, so there is no lvstore to show.
      return undefined;
    }
    const store = new Lvstore(dir, base, stored.name, stored.clusterSize, uuid);
    const byUuid = new Map<string, Lvol>();
    for (const { uuid: lvolUuid, name, sizeBytes, thin, isSnapshot, readOnly, baselineBytes } of stored.lvols) {
      const lvol = store.addLvol({ name, numBlocks: BigInt(sizeBytes) / BigInt(base.blockSize), thin, uuid: lvolUuid });
      Object.assign(lvol, { isSnapshot, readOnly, baselineBytes: BigInt(baselineBytes) });
      byUuid.set(lvolUuid, lvol);
    }
    for (const { uuid: lvolUuid, parent } of stored.lvols) {
      const lvol = byUuid.get(lvolUuid);
      if (lvol !== undefined && parent !== null) lvol.parent = byUuid.get(parent);
    }
    return store;
  }
}

function listPath(dir: string, uuid: string): string {
  return join(dir, `lvstore-${uuid}.json`);
}

function writeHead(path: string, text: string): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, text, 0);
  } finally {
    closeSync(file);
  }
}

function readMark(path: string): string | undefined {
  const head = Buffer.alloc(MARK.length + UUID_LENGTH);
  const file = openSync(path, "r");
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  const text = head.toString("latin1");
  return text.startsWith(MARK) ? text.slice(MARK.length) : undefined;
}

/** Rounds a quotient up. */
export function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
