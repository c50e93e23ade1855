import { readBytes } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import type { FilesystemType } from "./filesystem-type.ts";

/** Where the main superblock begins, and enough of it. */
const RANGES = { ext4: { offset: 1024n, length: 256 }, xfs: { offset: 0n, length: 256 } } as const;

/** Offsets into ext4's superblock (Linux: fs/ext4/ext4.h, struct ext4_super_block): time and count of mounts. */
const EXT4 = { mountTime: 0x2c, mountCount: 0x34 } as const;

/** Offset of sb_inprogress in XFS's superblock (Linux: struct xfs_dsb): 1 until mkfs has finished. */
const XFS_IN_PROGRESS = 126;

/**
 * Whether a filesystem with a readable superblock is an unfinished one that has never held data: mkfs.xfs says so itself;
 * ext4 writes its superblock last, so it is unfinished only if it has never been mounted and does not pass its check.
 */
export async function isUnfinished(
  host: Host,
  device: string,
  type: FilesystemType,
  options: CallOptions,
): Promise<boolean> {
  const superblock = await readBytes(host, device, RANGES[type], options);
  if (type === "xfs") return superblock.readUInt8(XFS_IN_PROGRESS) === 1;
  const mounted = superblock.readUInt32LE(EXT4.mountTime) !== 0 || superblock.readUInt16LE(EXT4.mountCount) !== 0;
  if (mounted) return false;
  const { timeoutMs = 600_000, signal } = options;
  const { exitCode } = await host.run("e2fsck", ["-f", "-n", device], { timeoutMs, signal });
  return exitCode !== 0;
}
