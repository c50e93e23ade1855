import { type BigIntStats, type FSWatcher, watch } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, realpath, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import type { ChangeLimits, FileStat, Host, HostFiles } from "./host.ts";

const STAT_TIMEOUT_MS = 10_000;

/** Files of this machine; `run` serves where a path may lie on a dead mount. */
export function linuxFiles(run: Host["run"]): HostFiles {
  return {
    readText: (path) => orUndefined(readFile(path, "utf8")),
    writeFileDurable,
    async mkdir(path, mode = 0o750) {
      await mkdir(path, { recursive: true, mode });
    },
    async touch(path, mode = 0o640) {
      await (await open(path, "a", mode)).close();
    },
    rmdir,
    unlink,
    async lstat(path) {
      const found = await orUndefined(lstat(path, { bigint: true }));
      return found && toFileStat(found);
    },
    fileSize: async (path) => (await orUndefined(stat(path, { bigint: true })))?.size,
    async isDirectory(path) {
      const { exitCode, stdout } = await run("stat", ["-L", "-c", "%F", "--", path], { timeoutMs: STAT_TIMEOUT_MS });
      return exitCode === 0 && stdout.trim() === "directory";
    },
    realpath: (path) => orUndefined(realpath(path)),
    list: async (path) => (await orUndefined(readdir(path)))?.sort(),
    change,
  };
}

function change(path: string, { timeoutMs, signal }: ChangeLimits): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    let watcher: FSWatcher | undefined;
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      watcher?.close();
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    signal?.addEventListener("abort", done, { once: true });
    try {
      watcher = watch(path, done).on("error", done);
    } catch {
      // Not there, or no watches are left: the time is waited for.
    }
  });
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

async function writeFileDurable(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  // The parent too: it holds the entry of a directory that was just made.
  await syncDirectory(dirname(path));
  await syncDirectory(dirname(dirname(path)));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function toFileStat(stats: BigIntStats): FileStat {
  return { kind: toKind(stats), deviceNumber: stats.isBlockDevice() ? toDeviceNumber(stats.rdev) : "0:0" };
}

function toKind(stats: BigIntStats): FileStat["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  return stats.isBlockDevice() ? "block" : "other";
}

/** glibc's makedev: 12 + 20 bits of major and 8 + 24 bits of minor number, interleaved. */
function toDeviceNumber(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
