import type { Superblock } from "./superblock.ts";

/** Offsets into the superblock (Linux: include/uapi/linux/btrfs_tree.h, struct btrfs_super_block), little endian. */
const AT = { uuid: 0x20, magic: 0x40, sectorSize: 0x90, deviceBytes: 0xd1 } as const;

const MAGIC = "_BHRfS_M";
/** What mkfs.btrfs writes until it has finished. */
const TEMPORARY_MAGIC = "!BHRfS_M";

/** Reads the 512 bytes at 64 KiB of a btrfs; undefined when they are no superblock. */
export function parseBtrfsSuperblock(bytes: Buffer): Superblock | undefined {
  const magic = bytes.toString("latin1", AT.magic, AT.magic + 8);
  if (magic !== MAGIC && magic !== TEMPORARY_MAGIC) return undefined;
  return {
    uuid: bytes.subarray(AT.uuid, AT.uuid + 16).toString("hex"),
    growsAtBytes: bytes.readBigUInt64LE(AT.deviceBytes) + BigInt(bytes.readUInt32LE(AT.sectorSize)),
    needsCheck: false,
    progress: magic === TEMPORARY_MAGIC ? "unfinished" : "finished",
  };
}
