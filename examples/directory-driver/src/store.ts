import { mkdirSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { isPlainName, type VolumeContentSource } from "@org/csi-framework";
import type { Host } from "@org/node-mounter";

/** What is known about a volume or a snapshot, which may be a copy of another one. */
export interface Entry {
  readonly id: string;
  readonly sizeBytes: bigint;
  readonly createdAt: Date;
  readonly source: VolumeContentSource | undefined;
}

/**
 * Volumes, or snapshots, each of them a directory: `<id>/entry.json` and `<id>/data`. An entry comes and goes with one
 * rename, so after a crash it is there as a whole or not at all. What a crash leaves is hidden, and removed by the call
 * that is sent again. The framework's locks see to it that one call at a time works on an id.
 */
export class Store {
  readonly #dir: string;
  readonly #files: Host["files"];

  constructor(dir: string, { files }: Host) {
    this.#dir = dir;
    this.#files = files;
    mkdirSync(dir, { recursive: true });
  }

  dataPath(id: string) {
    return join(this.#dir, id, "data");
  }

  async find(id: string): Promise<Entry | undefined> {
    // What is no plain name is none of ours, and could lead out of the directory.
    const text = isPlainName(id, 64) ? await this.#files.readText(join(this.#dir, id, "entry.json")) : undefined;
    if (text === undefined) return undefined;
    const { sizeBytes, createdAt, ...rest } = JSON.parse(text);
    return { ...rest, sizeBytes: BigInt(sizeBytes), createdAt: new Date(createdAt) };
  }

  async list() {
    const entries = await Promise.all((await readdir(this.#dir)).map((name) => this.find(name)));
    return entries.filter((entry) => entry !== undefined);
  }

  /** Makes an entry; `fill` puts data into its directory, and when it fails nothing has been made. */
  async create(entry: Entry, fill: (dataPath: string) => Promise<void>) {
    const hidden = join(this.#dir, `.${entry.id}`);
    await rm(hidden, { recursive: true, force: true });
    await mkdir(join(hidden, "data"), { recursive: true });
    await fill(join(hidden, "data"));
    await this.write(entry, hidden);
    await this.#rename(hidden, join(this.#dir, entry.id));
  }

  /** Writes down what is known about an entry, in place of what was. */
  async write({ sizeBytes, ...rest }: Entry, dir = join(this.#dir, rest.id)) {
    await this.#files.writeFileDurable(join(dir, "entry.json"), JSON.stringify({ ...rest, sizeBytes: `${sizeBytes}` }));
  }

  /** Removes an entry and its data; an unknown one counts as removed. */
  async remove(id: string) {
    if (!isPlainName(id, 64)) return;
    const hidden = join(this.#dir, `.${id}`);
    await rm(hidden, { recursive: true, force: true });
    if ((await this.find(id)) !== undefined) await this.#rename(join(this.#dir, id), hidden);
    await rm(hidden, { recursive: true, force: true });
  }

  async #rename(from: string, to: string) {
    await rename(from, to);
    const dir = await open(this.#dir);
    await dir.sync().finally(() => void dir.close());
  }
}
