import { readBytes } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { parseBtrfsSuperblock } from "./btrfs-superblock.ts";
import { parseExtSuperblock } from "./ext-superblock.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { FilesystemType } from "./filesystem-type.ts";
import { parseXfsSuperblock } from "./xfs-superblock.ts";

/** What a superblock, or a backup of one, says of its filesystem. */
export interface Superblock {
  /** 32 hexadecimal digits. */
  readonly uuid: string;
  /** The size from which on its device has room for the filesystem to grow; what is smaller cannot be used. */
  readonly growsAtBytes: bigint;
  /** Whether it has to be checked before it is mounted. xfs and btrfs never: their mount does what is needed. */
  readonly needsCheck: boolean;
  /**
   * How far its mkfs got. ext4 does not tell: its superblock is written last, and other blocks may be lost with the
   * power; `unused` has never been mounted, so that it may be either.
   */
  readonly progress: "unfinished" | "unused" | "finished";
}

/** How a superblock is read. */
export interface SuperblockFormat {
  /** Where the first one begins, in bytes. */
  readonly offset: bigint;
  readonly parse: (bytes: Buffer) => Superblock | undefined;
}

/** Enough of any superblock. */
export const SUPERBLOCK_BYTES = 512;

const EXT: SuperblockFormat = { offset: 1024n, parse: parseExtSuperblock };

/** The format of each type. */
export const SUPERBLOCK_FORMATS: Readonly<Record<FilesystemType, SuperblockFormat>> = {
  ext3: EXT,
  ext4: EXT,
  xfs: { offset: 0n, parse: parseXfsSuperblock },
  btrfs: { offset: 64n * 1024n, parse: parseBtrfsSuperblock },
};

/** Reads the first superblock of a filesystem that a probe has found. Throws FilesystemError `PROBE_FAILED`. */
export async function readSuperblock(
  host: Host,
  device: string,
  type: FilesystemType,
  options: CallOptions,
): Promise<Superblock> {
  const superblock = await findSuperblock(host, device, type, options);
  if (superblock !== undefined) return superblock;
  throw new FilesystemError(
    "PROBE_FAILED",
    `${device} has no superblock of ${type} where one was found before; nothing was changed: check the device and its connection`,
  );
}

/** The first superblock of a filesystem of a type, if there is one. Throws FilesystemError `PROBE_FAILED`. */
export async function findSuperblock(
  host: Host,
  device: string,
  type: FilesystemType,
  options: CallOptions,
): Promise<Superblock | undefined> {
  const { offset, parse } = SUPERBLOCK_FORMATS[type];
  return parse(await readBytes(host, device, { offset, length: SUPERBLOCK_BYTES }, options));
}
