import { execFile } from "node:child_process";
import { rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Makes a file of this size that takes no room. */
export function createSparse(path: string, sizeBytes: bigint): void {
  writeFileSync(path, "");
  truncateSync(path, Number(sizeBytes));
}

/** Changes a file's size; whoever has it open sees the same file. */
export function resizeSparse(path: string, sizeBytes: bigint): void {
  truncateSync(path, Number(sizeBytes));
}

/** Bytes that the file takes on disk. */
export function allocatedBytes(path: string): bigint {
  return BigInt(statSync(path).blocks) * 512n;
}

/** Copies a file without its holes, sharing blocks where the filesystem can. */
export async function copySparse(from: string, to: string): Promise<void> {
  await run("cp", ["--reflink=auto", "--sparse=always", "--", from, to]);
}

/** Removes a file; one that is not there is fine. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}
