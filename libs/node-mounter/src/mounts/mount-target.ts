import { dirname } from "node:path";

import type { Host, RunOptions } from "../host/host.ts";
import { MountError } from "./mount-error.ts";

/** Makes sure that something can be mounted on `path`, which is canonical and not mounted on. */
export async function ensureTarget(host: Host, path: string, kind: "directory" | "file"): Promise<void> {
  const found = await host.files.lstat(path);
  if (found?.kind === "symlink") {
    throw new MountError("SYMLINK", `target ${path} is a symlink: remove it, volumes are never mounted through one`);
  }
  if (found !== undefined && found.kind !== kind) {
    throw new MountError("WRONG_KIND", `target ${path} is a ${found.kind} where a ${kind} is needed: remove it`);
  }
  if (found !== undefined) return;
  await host.files.mkdir(kind === "directory" ? path : dirname(path));
  if (kind === "file") await host.files.touch(path);
}

/** Throws MountError `SYMLINK` or `NOT_A_DEVICE` unless `device` itself is a block device. */
export async function requireBlockDevice(host: Host, device: string): Promise<{ readonly deviceNumber: string }> {
  const found = await host.files.lstat(device);
  if (found?.kind === "symlink") {
    throw new MountError(
      "SYMLINK",
      `device ${device} is a symlink, which may lead elsewhere tomorrow: give the device itself`,
    );
  }
  if (found?.kind !== "block") {
    const what = found === undefined ? "does not exist" : `is a ${found.kind}`;
    throw new MountError("NOT_A_DEVICE", `device ${device} ${what}: attach the volume again`);
  }
  return found;
}

/** Runs mount or umount; throws MountError `COMMAND_FAILED` on any exit code but 0 (mount(8): a bit mask). */
export async function runMount(host: Host, argv: readonly [string, ...string[]], options: RunOptions): Promise<void> {
  const [command, ...args] = argv;
  const { exitCode, stderr } = await host.run(command, args, options);
  if (exitCode === 0) return;
  throw new MountError(
    "COMMAND_FAILED",
    `${argv.join(" ")} failed with exit code ${exitCode}: ${stderr.trim()}; the kernel's log on this node may say more`,
  );
}
