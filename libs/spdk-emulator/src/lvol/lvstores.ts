import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { type Bdev, type ProductName, sizeBytes } from "../bdev/bdev.ts";
import type { Bdevs } from "../bdev/bdevs.ts";
import { createSparse, removeFile, resizeSparse } from "../bdev/sparse-file.ts";
import { errno } from "../rpc/rpc-error.ts";
import type { Version } from "../version.ts";
import type { Lvol } from "./lvol.ts";
import { Lvstore } from "./lvstore.ts";
import { LvstoreLog, logPath, readLog, storedLvol } from "./lvstore-log.ts";

/** What stands at the start of a bdev that holds an lvstore, with the lvstore's uuid behind it. */
const MARK = "spdk-emulator lvstore ";
const UUID_LENGTH = 36;
const OUTLASTS_TARGET: readonly ProductName[] = ["AIO disk", "NVMe disk"];
const LVOL_FILE = /^lvol-(?<uuid>[0-9a-f-]{36})$/;
const LOG_FILE = /^lvstore-(?<uuid>[0-9a-f-]{36})\.log$/;

/** How a request names an lvstore. */
export interface LvstoreName {
  readonly uuid?: string | undefined;
  readonly lvs_name?: string | undefined;
}

/** The lvstores of a target. */
export class Lvstores {
  readonly #dir: string;
  readonly #version: Version;
  readonly #bdevs: Bdevs;
  readonly #stores = new Set<Lvstore>();

  constructor(dir: string, version: Version, bdevs: Bdevs) {
    this.#dir = dir;
    this.#version = version;
    this.#bdevs = bdevs;
  }

  all(): readonly Lvstore[] {
    return [...this.#stores];
  }

  /** The lvstore that a request names, by its name or its uuid, not both. */
  get({ uuid, lvs_name }: LvstoreName): Lvstore {
    if ((uuid === undefined) === (lvs_name === undefined)) throw errno("EINVAL");
    const store = this.all().find((each) => (uuid === undefined ? each.name === lvs_name : each.uuid === uuid));
    if (store === undefined) throw errno("ENODEV");
    return store;
  }

  findByName(name: string): Lvstore | undefined {
    return this.all().find((each) => each.name === name);
  }

  /** The lvstore on a bdev. */
  findByBase(base: Bdev): Lvstore | undefined {
    return this.all().find((each) => each.base === base);
  }

  /** The lvol that a request names by its uuid or alias; ENODEV when there is none. */
  getLvol(name: string): Lvol {
    const lvol = this.findLvol(name);
    if (lvol === undefined) throw errno("ENODEV");
    return lvol;
  }

  findLvol(name: string): Lvol | undefined {
    const bdev = this.#bdevs.find(name);
    return bdev !== undefined && isLvol(bdev) ? bdev : undefined;
  }

  /** An lvstore that is not on its base yet. */
  plan(base: Bdev, name: string, clusterSize: number): Lvstore {
    return new Lvstore({ dir: this.#dir, version: this.#version, base, name, clusterSize });
  }

  /** Puts an lvstore on its base. */
  async create(store: Lvstore): Promise<void> {
    store.base.claim = "lvstore";
    this.#stores.add(store);
    // Memory does not outlast the target: what is on it needs no keeping.
    if (!OUTLASTS_TARGET.includes(store.base.productName)) return;
    store.log = this.#log(store);
    await store.log.commit({ store: store.stored() });
    await writeHead(store.base, `${MARK}${store.uuid}`);
  }

  /** Takes an lvstore off its base, with its lvols, for good. */
  async destroy(store: Lvstore): Promise<void> {
    const files = [...store.lvols].map(({ file }) => file);
    this.#stores.delete(store);
    store.base.claim = "none";
    await store.log?.remove();
    if (store.log !== undefined) await writeHead(store.base, "\0".repeat(MARK.length + UUID_LENGTH));
    for (const file of files) removeFile(file);
  }

  /** Its base is gone: so is it, until the base comes back. */
  detach(store: Lvstore): void {
    this.#stores.delete(store);
    // Nobody waits: what was answered has been kept.
    store.log?.close().catch(() => undefined);
    if (store.log === undefined) for (const { file } of store.lvols) removeFile(file);
  }

  /** Looks for an lvstore on a bdev that has come, and brings back its lvols. */
  examine(base: Bdev): void | Promise<void> {
    const device = base.open();
    const head = device.read(0, base.blockSize);
    if (!(head instanceof Promise)) {
      device.close();
      this.#examine(base, head);
      return undefined;
    }
    return head.then((bytes) => this.#examine(base, bytes)).finally(() => device.close());
  }

  #examine(base: Bdev, head: Buffer): void {
    const text = head.toString("latin1");
    const uuid = text.startsWith(MARK) ? text.slice(MARK.length, MARK.length + UUID_LENGTH) : undefined;
    const contents = uuid === undefined ? undefined : readLog(logPath(this.#dir, uuid));
    if (contents === undefined || this.all().some((each) => each.uuid === contents.store.uuid)) return;
    const store = new Lvstore({ dir: this.#dir, version: this.#version, base, ...contents.store });
    store.restore(contents.lvols);
    store.log = this.#log(store);
    base.claim = "lvstore";
    this.#stores.add(store);
    for (const lvol of store.lvols) {
      restoreFile(lvol);
      this.#bdevs.add(lvol);
    }
  }

  /** Removes the files of lvols that nothing names: those that were being made when the target ended. */
  sweep(): void {
    if (!existsSync(this.#dir)) return;
    const names = readdirSync(this.#dir);
    const known = new Set<string>();
    for (const name of names) {
      const log = LOG_FILE.test(name) ? readLog(join(this.#dir, name)) : undefined;
      for (const { uuid } of log?.lvols ?? []) known.add(uuid);
    }
    for (const name of names) {
      const uuid = LVOL_FILE.exec(name)?.groups?.["uuid"];
      if (uuid !== undefined && !known.has(uuid)) removeFile(join(this.#dir, name));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map(async (store) => store.log?.close()));
  }

  #log(store: Lvstore): LvstoreLog {
    return new LvstoreLog(logPath(this.#dir, store.uuid), () => ({
      store: store.stored(),
      lvols: Array.from(store.lvols, storedLvol),
    }));
  }
}

/** Whether a bdev is an lvol. */
export function isLvol(bdev: Bdev): bdev is Lvol {
  return bdev.productName === "Logical Volume";
}

/** A resize that was not kept may have reached the file. */
function restoreFile(lvol: Lvol): void {
  const stat = statSync(lvol.file, { throwIfNoEntry: false });
  if (stat === undefined) createSparse(lvol.file, sizeBytes(lvol));
  else if (BigInt(stat.size) !== sizeBytes(lvol)) resizeSparse(lvol.file, sizeBytes(lvol));
}

async function writeHead(base: Bdev, text: string): Promise<void> {
  const device = base.open();
  try {
    const head = Buffer.from(await device.read(0, base.blockSize));
    head.write(text, "latin1");
    await device.write(head, 0);
    await device.flush();
  } finally {
    device.close();
  }
}
