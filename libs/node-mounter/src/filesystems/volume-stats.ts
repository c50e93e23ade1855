import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { isDeviceGone } from "../mounts/device-gone.ts";
import { findMounts } from "../mounts/mount-table.ts";
import { FilesystemError } from "./filesystem-error.ts";

/** Amounts of one kind. `used` counts what everybody uses; `available` is what is left to users other than root. */
export interface Usage {
  readonly total: bigint;
  readonly available: bigint;
  readonly used: bigint;
}

/** How full a filesystem is. */
export interface VolumeStats {
  readonly bytes: Usage;
  /** All zero where inodes are made as they are needed (btrfs). */
  readonly inodes: Usage;
}

/**
 * How full the filesystem at `path` is, asked by a child process because its device may be dead. Throws FilesystemError
 * `DEVICE_GONE` when something is mounted there whose device the kernel has lost, `STATS_FAILED`, or HostError `TIMEOUT`.
 * Default deadline 10 s.
 */
export async function volumeStats(host: Host, path: string, options: CallOptions = {}): Promise<VolumeStats> {
  const { timeoutMs = 10_000, signal } = options;
  const [mount] = await findMounts(host, { target: path });
  if (mount !== undefined && (await isDeviceGone(host, mount))) {
    throw new FilesystemError(
      "DEVICE_GONE",
      `the device ${mount.source} (${mount.deviceNumber}) of what is mounted on ${path} has gone: stop what uses it, unstage the volume and stage it again`,
    );
  }
  const { exitCode, stdout, stderr } = await host.run("stat", ["-f", "-c", "%S %b %a %f %c %d", "--", path], {
    timeoutMs,
    signal,
  });
  const numbers = /^(\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/.exec(stdout.trim());
  if (exitCode !== 0 || numbers === null) {
    throw new FilesystemError(
      "STATS_FAILED",
      `statistics of ${path} cannot be read: ${stderr.trim() || stdout.trim()}`,
    );
  }
  const [block = 0n, blocks = 0n, available = 0n, free = 0n, inodes = 0n, freeInodes = 0n] = numbers
    .slice(1)
    .map(BigInt);
  return {
    bytes: { total: blocks * block, available: available * block, used: (blocks - free) * block },
    inodes: { total: inodes, available: freeInodes, used: inodes - freeInodes },
  };
}
