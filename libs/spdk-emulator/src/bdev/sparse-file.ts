import { execFile } from "node:child_process";
import { closeSync, ftruncateSync, openSync, rmSync, statSync, truncateSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Makes a file of this size that takes no room. */
export function createSparse(path: string, sizeBytes: bigint): void {
  const file = openSync(path, "w", 0o600);
  try {
    ftruncateSync(file, Number(sizeBytes));
  } finally {
    closeSync(file);
  }
}

/** Changes a file's size; whoever has it open sees the same file. */
export function resizeSparse(path: string, sizeBytes: bigint): void {
  truncateSync(path, Number(sizeBytes));
}

/** Bytes that the file takes on disk; none when it is not there. */
export function allocatedBytes(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}

/** Copies a file without its holes, sharing blocks where the filesystem can. */
export async function copySparse(from: string, to: string): Promise<void> {
  const { size, blocks } = statSync(from);
  if (blocks === 0) createSparse(to, BigInt(size));
  else await run("cp", ["--reflink=auto", "--sparse=always", "--", from, to]);
}

/** Removes a file; one that is not there is fine. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}
