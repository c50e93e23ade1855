import type { Superblock } from "./superblock.ts";

/** Offsets into the superblock (Linux: fs/xfs/libxfs/xfs_format.h, struct xfs_dsb), big endian. */
const AT = { blockSize: 4, blocks: 8, uuid: 32, groupBlocks: 84, inProgress: 126 } as const;

/** The kernel makes no last allocation group of fewer blocks (XFS_MIN_AG_BLOCKS). */
const LEAST_GROUP_BLOCKS = 64n;

/** Reads the first 512 bytes of an xfs; undefined when they are no superblock. */
export function parseXfsSuperblock(bytes: Buffer): Superblock | undefined {
  if (bytes.toString("latin1", 0, 4) !== "XFSB") return undefined;
  const blockSize = BigInt(bytes.readUInt32BE(AT.blockSize));
  const blocks = bytes.readBigUInt64BE(AT.blocks);
  const inLastGroup = blocks % (BigInt(bytes.readUInt32BE(AT.groupBlocks)) || 1n);
  return {
    uuid: bytes.subarray(AT.uuid, AT.uuid + 16).toString("hex"),
    growsAtBytes: (blocks + (inLastGroup === 0n ? LEAST_GROUP_BLOCKS : 1n)) * blockSize,
    needsCheck: false,
    progress: bytes.readUInt8(AT.inProgress) === 1 ? "unfinished" : "finished",
  };
}
