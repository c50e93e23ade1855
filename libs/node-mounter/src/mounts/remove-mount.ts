import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { isDeviceGone } from "./device-gone.ts";
import { MountError } from "./mount-error.ts";
import type { MountEntry } from "./mount-info.ts";
import { canonicalPath, MountTable } from "./mount-table.ts";
import { runMount } from "./mount-target.ts";

const MAX_STACKED = 64;

/** How a mount is removed. */
export interface RemoveMountOptions extends CallOptions {
  /**
   * What is done about a mount that is in use: `refuse` it (default), or `detach` it from the tree while it lives on for
   * those who use it. A detached mount still writes to its device, which nobody sees: only for a device that is gone.
   */
  readonly whenBusy?: "refuse" | "detach" | undefined;
}

/**
 * Unmounts everything that is stacked on `target`, then removes the empty directory or file it was mounted on. Nothing
 * there: fine. Never removes what holds something (MountError `NOT_EMPTY`), never follows a symlink (`SYMLINK`).
 * Default deadline 60 s per mount.
 */
export async function removeMount(host: Host, target: string, options: RemoveMountOptions = {}): Promise<void> {
  const path = await canonicalPath(host, target);
  // First of all: a look at what a dead device shows would block.
  await unmountWhile(host, path, async () => true, options);
  await removeEmpty(host, path);
}

/** Unmounts what is seen at a canonical path as long as its device is gone; gives the mounts as they are then. */
export async function removeDeadMounts(
  host: Host,
  path: string,
  options: RemoveMountOptions = {},
): Promise<MountTable> {
  return unmountWhile(host, path, (top) => isDeviceGone(host, top), options);
}

async function unmountWhile(
  host: Host,
  path: string,
  unwanted: (top: MountEntry) => Promise<boolean>,
  { timeoutMs = 60_000, signal, whenBusy = "refuse" }: RemoveMountOptions,
): Promise<MountTable> {
  for (let left = MAX_STACKED; ; left--) {
    const table = await MountTable.read(host);
    const [top] = table.stackAt(path);
    if (top === undefined || !(await unwanted(top))) return table;
    if (left === 0)
      throw new MountError("COMMAND_FAILED", `${path} has more than ${MAX_STACKED} mounts: unmount them by hand`);
    await unmountTop(host, path, { timeoutMs, signal, whenBusy });
  }
}

async function stackHeight(host: Host, path: string): Promise<number> {
  return (await MountTable.read(host)).stackAt(path).length;
}

async function unmountTop(host: Host, path: string, options: RemoveMountOptions): Promise<void> {
  const { whenBusy, ...limits } = options;
  const before = await stackHeight(host, path);
  try {
    // -c: umount must not resolve the path, which would ask the mounted filesystem.
    await runMount(host, ["umount", "-c", path], limits);
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    if ((await stackHeight(host, path)) < before) return;
    if (whenBusy === "detach") return runMount(host, ["umount", "-c", "-l", path], limits);
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
