import { existsSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { join } from "node:path";

import { sizeBytes } from "../bdev/bdev.ts";
import type { Lvol } from "./lvol.ts";

/** What outlasts the target of an lvstore. */
export interface StoredLvstore {
  readonly uuid: string;
  readonly name: string;
  readonly clusterSize: number;
  readonly baseClusters: number;
}

/** What outlasts the target of an lvol. */
export interface StoredLvol {
  readonly uuid: string;
  readonly name: string;
  readonly sizeBytes: string;
  readonly thin: boolean;
  readonly isSnapshot: boolean;
  readonly readOnly: boolean;
  readonly parent?: string;
  readonly externalParent?: string;
  readonly ownedClusters: number;
  readonly baselineBytes: number;
}

/** One change, all of it or nothing: a line of the log. */
interface Change {
  readonly store?: StoredLvstore;
  readonly put?: readonly StoredLvol[];
  readonly drop?: readonly string[];
}

/** What is kept of an lvstore. */
export interface StoredContents {
  readonly store: StoredLvstore;
  readonly lvols: readonly StoredLvol[];
}

/** This many lines beyond two for each lvol, and the log is written anew. */
const SLACK = 1000;

/**
 * Keeps an lvstore in a file of changes, one line of JSON each. A line without its end was never answered and does not
 * count. Changes that come together are synced together. A log that has grown is written anew beside, synced and renamed.
 */
export class LvstoreLog {
  readonly #path: string;
  readonly #contents: () => StoredContents;
  #file: FileHandle | undefined;
  #lines = Number.POSITIVE_INFINITY;
  #pending: { readonly line: string; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #writing: Promise<void> | undefined;

  /** `contents` gives all that is to be kept, for when the log is written anew. */
  constructor(path: string, contents: () => StoredContents) {
    this.#path = path;
    this.#contents = contents;
  }

  /** Keeps a change; when it resolves, it outlasts whatever happens to the process. */
  commit(change: Change): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ line: `${JSON.stringify(change)}\n`, resolve, reject });
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  /** Waits for what is under way, and lets go of the file. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
    this.#lines = Number.POSITIVE_INFINITY;
  }

  /** Forgets the lvstore. */
  async remove(): Promise<void> {
    await this.close();
    rmSync(this.#path, { force: true });
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const changes = this.#pending;
      this.#pending = [];
      try {
        const { lvols } = this.#lines > SLACK ? this.#contents() : { lvols: [] };
        if (this.#lines > SLACK + 2 * lvols.length) await this.#rewrite();
        else await this.#append(changes.map(({ line }) => line).join(""));
        this.#lines += changes.length;
        for (const { resolve } of changes) resolve();
      } catch (error) {
        for (const { reject } of changes) reject(error);
      }
    }
  }

  async #append(lines: string): Promise<void> {
    this.#file ??= await open(this.#path, "a", 0o600);
    await this.#file.appendFile(lines);
    await this.#file.datasync();
  }

  /** What is in memory holds the pending changes already. */
  async #rewrite(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    const { store, lvols } = this.#contents();
    const lines: Change[] = [{ store }, ...lvols.map((lvol) => ({ put: [lvol] }))];
    const file = await open(`${this.#path}.new`, "w", 0o600);
    try {
      await file.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${this.#path}.new`, this.#path);
    this.#lines = lines.length;
  }
}

/** Where an lvstore is kept. */
export function logPath(dir: string, uuid: string): string {
  return join(dir, `lvstore-${uuid}.log`);
}

/** Reads what was kept of an lvstore; undefined when nothing was. What was cut short is not part of it. */
export function readLog(path: string): StoredContents | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8");
  let store: StoredLvstore | undefined;
  const lvols = new Map<string, StoredLvol>();
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  for (const line of whole.split("\n")) {
    if (line === "") continue;
    // Only this module writes such files.
    const change = JSON.parse(line) as Change;
    store = change.store ?? store;
    for (const lvol of change.put ?? []) lvols.set(lvol.uuid, lvol);
    for (const uuid of change.drop ?? []) lvols.delete(uuid);
  }
  // So that the next line does not join a broken one.
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  return store === undefined ? undefined : { store, lvols: [...lvols.values()] };
}

/** What is kept of an lvol. */
export function storedLvol(lvol: Lvol): StoredLvol {
  const { uuid, lvolName, thin, isSnapshot, readOnly, parent, externalParent, ownedClusters, baselineBytes } = lvol;
  return {
    uuid,
    name: lvolName,
    sizeBytes: sizeBytes(lvol).toString(),
    thin,
    isSnapshot,
    readOnly,
    ...(parent !== undefined && { parent: parent.uuid }),
    ...(externalParent !== undefined && { externalParent }),
    ownedClusters,
    baselineBytes,
  };
}
