import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { BlockDevice } from "../block/block-device.ts";
import { BlockFile } from "../block/block-file.ts";
import { type Bdev, sizeBytes } from "./bdev.ts";
import { copySparse, createSparse } from "./sparse-file.ts";

const run = promisify(execFile);

const PIECE_BYTES = 1024 * 1024;
const ZEROES = Buffer.alloc(PIECE_BYTES);

/** Makes a sparse file of a bdev's bytes. Nothing writes to the bdev meanwhile. */
export async function copyToNewFile(from: Bdev, path: string): Promise<void> {
  if (from.file !== undefined) {
    await copySparse(from.file, path);
    return;
  }
  createSparse(path, sizeBytes(from));
  await copyWritten(from.open(), new BlockFile(path), Number(sizeBytes(from)));
}

/** Copies what a sparse file holds, but for its zeroes, to a bdev. */
export async function copyFromFile(path: string, to: Bdev, bytes: number): Promise<void> {
  if (to.file === undefined) await copyWritten(new BlockFile(path), to.open(), bytes);
  else await run("dd", [`if=${path}`, `of=${to.file}`, "bs=1M", "conv=notrunc,sparse"]);
}

async function copyWritten(from: BlockDevice, to: BlockDevice, bytes: number): Promise<void> {
  try {
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      const data = await from.read(at, Math.min(PIECE_BYTES, bytes - at));
      if (!data.equals(ZEROES.subarray(0, data.length))) await to.write(data, at);
    }
    await to.flush();
  } finally {
    from.close();
    to.close();
  }
}
