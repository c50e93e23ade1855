import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type CapacityRange, CsiError, chooseCapacity, hashedName, isPlainName, satisfies } from "@org/csi-framework";

/** A volume, named as CSI names it. */
export interface Volume {
  readonly volumeId: string;
  readonly capacityBytes: bigint;
}

const SIZES = { defaultBytes: 1024n ** 3n, granularityBytes: 4096n, maxBytes: 1024n ** 5n };

/**
 * The storage: a directory for each volume, with its size in a file beside its data. A volume comes and goes with one
 * rename, so that it is there as a whole or not at all; a call that is repeated removes what was left.
 */
export class Volumes {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  dataPath(volumeId: string) {
    return join(this.#root, volumeId, "data");
  }

  async find(volumeId: string): Promise<Volume | undefined> {
    // What is no plain name is none of ours, and could lead out of the directory.
    if (!isPlainName(volumeId, 64)) return undefined;
    const size = await readFile(join(this.#root, volumeId, "size"), "utf8").catch(ifMissing(undefined));
    return size === undefined ? undefined : { volumeId, capacityBytes: BigInt(size) };
  }

  async list() {
    const names = await readdir(this.#root).catch(ifMissing([]));
    const volumes = await Promise.all(names.map((name) => this.find(name)));
    return volumes.filter((volume) => volume !== undefined);
  }

  /** Makes a volume, or finds the one of this name; one that does not fit the range is ALREADY_EXISTS. */
  async ensure(name: string, range: CapacityRange | undefined) {
    const volumeId = hashedName("v-", name);
    const found = await this.find(volumeId);
    if (found !== undefined) {
      if (satisfies(found.capacityBytes, range)) return found;
      throw CsiError.alreadyExists(`volume "${name}" has ${found.capacityBytes} bytes`);
    }
    const capacityBytes = chooseCapacity(range, SIZES);
    const hidden = join(this.#root, `.${volumeId}`);
    await rm(hidden, { recursive: true, force: true });
    await mkdir(join(hidden, "data"), { recursive: true });
    await writeFile(join(hidden, "size"), `${capacityBytes}`, { flush: true });
    await rename(hidden, join(this.#root, volumeId));
    return { volumeId, capacityBytes };
  }

  /** Removes a volume and its data; an unknown one counts as removed. */
  async remove(volumeId: string) {
    if (!isPlainName(volumeId, 64)) return;
    const hidden = join(this.#root, `.${volumeId}`);
    await rm(hidden, { recursive: true, force: true });
    await rename(join(this.#root, volumeId), hidden).catch(ifMissing(undefined));
    await rm(hidden, { recursive: true, force: true });
  }
}

function ifMissing<T>(value: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === "ENOENT") return value;
    throw error;
  };
}
