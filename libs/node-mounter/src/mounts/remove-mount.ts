import type { CallOptions } from "../host/call-options.ts";
import type { Host, RunOptions } from "../host/host.ts";
import { MountError } from "./mount-error.ts";
import { canonicalPath, MountTable } from "./mount-table.ts";
import { runMount } from "./mount-target.ts";

const MAX_STACKED = 64;

/**
 * Unmounts everything that is stacked on `target`, then removes the empty directory or file it was mounted on. Nothing
 * there: fine. Never removes what holds something (MountError `NOT_EMPTY`), never follows a symlink (`SYMLINK`).
 * Default deadline 60 s per mount.
 */
export async function removeMount(host: Host, target: string, options: CallOptions = {}): Promise<void> {
  const { timeoutMs = 60_000, signal } = options;
  const path = await canonicalPath(host, target);
  // First of all: a look at what a dead device shows would block.
  for (let left = MAX_STACKED; (await stackHeight(host, path)) > 0; left--) {
    if (left === 0)
      throw new MountError("COMMAND_FAILED", `${path} has more than ${MAX_STACKED} mounts: unmount them by hand`);
    await unmountTop(host, path, { timeoutMs, signal });
  }
  await removeEmpty(host, path);
}

async function stackHeight(host: Host, path: string): Promise<number> {
  return (await MountTable.read(host)).stackAt(path).length;
}

async function unmountTop(host: Host, path: string, options: RunOptions): Promise<void> {
  const before = await stackHeight(host, path);
  try {
    // -c: umount must not resolve the path, which would ask the mounted filesystem.
    await runMount(host, ["umount", "-c", path], options);
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    if ((await stackHeight(host, path)) < before) return;
    throw new MountError("COMMAND_FAILED", `${error.message}; stop what still uses ${path}`, { cause: error });
  }
}

async function removeEmpty(host: Host, path: string): Promise<void> {
  const found = await host.files.lstat(path);
  if (found === undefined) return;
  if (found.kind === "symlink") {
    throw new MountError("SYMLINK", `${path} is a symlink and is kept: remove it by hand if it is not wanted`);
  }
  if (found.kind !== "directory" && found.kind !== "file") {
    throw new MountError(
      "WRONG_KIND",
      `${path} is neither a directory nor a file and is kept: no volume is mounted there`,
    );
  }
  if (found.kind === "file" && (await host.files.fileSize(path)) !== 0n) throw notEmpty(path);
  try {
    await (found.kind === "directory" ? host.files.rmdir(path) : host.files.unlink(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    throw code === "ENOTEMPTY" || code === "EEXIST" ? notEmpty(path, error) : error;
  }
}

function notEmpty(path: string, cause?: unknown): MountError {
  return new MountError(
    "NOT_EMPTY",
    `${path} holds data after the unmount and is kept: look at it, then remove it by hand`,
    { cause },
  );
}
