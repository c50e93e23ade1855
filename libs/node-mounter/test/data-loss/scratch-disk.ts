import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import type { Connector } from "../../src/connectors/connector.ts";

const CHUNK_BYTES = 1024 ** 2;
const ZEROES = Buffer.alloc(CHUNK_BYTES);

/** A sparse file as a loop device. */
export interface ScratchDisk {
  readonly device: string;
  readonly file: string;
  readonly sizeBytes: number;
}

/** Gives a blank disk to `work`, and takes it away whatever happens. */
export async function withScratchDisk<T>(
  connector: Connector<{ readonly file: string }>,
  { dir, name, sizeBytes }: { readonly dir: string; readonly name: string; readonly sizeBytes: number },
  work: (disk: ScratchDisk) => Promise<T>,
): Promise<T> {
  const file = join(dir, name);
  writeFileSync(file, "");
  truncateSync(file, sizeBytes);
  try {
    const { device } = await connector.attach({ file });
    return await work({ device, file, sizeBytes });
  } finally {
    await connector.detach({ file });
    await rm(file, { force: true });
  }
}

/** Writes to a disk and waits until that is in its file. */
export function writeAt({ device }: ScratchDisk, offset: number, bytes: Buffer): void {
  const disk = openSync(device, "r+");
  try {
    writeSync(disk, bytes, 0, bytes.length, offset);
    fsyncSync(disk);
  } finally {
    closeSync(disk);
  }
}

/** A checksum of all that a disk holds and where. */
export function checksum({ device, file }: ScratchDisk): string {
  execFileSync("blockdev", ["--flushbufs", device]);
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const disk = openSync(file, "r");
  try {
    for (let offset = 0; ; offset += CHUNK_BYTES) {
      const read = readSync(disk, chunk, 0, CHUNK_BYTES, offset);
      if (read === 0) return hash.digest("hex");
      const bytes = chunk.subarray(0, read);
      // Most of a sparse disk is zero, which memcmp sees sooner than sha256 does.
      if (!bytes.equals(ZEROES.subarray(0, read))) hash.update(`${offset}:`).update(bytes);
    }
  } finally {
    closeSync(disk);
  }
}
