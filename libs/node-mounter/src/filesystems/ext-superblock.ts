import type { Superblock } from "./superblock.ts";

const MAGIC = 0xef53;
/** 64 KiB. */
const MOST_LOG_BLOCK_SIZE = 6;

/** Offsets into the superblock (Linux: fs/ext4/ext4.h, struct ext4_super_block), little endian. */
const AT = {
  blocks: 0x04,
  firstBlock: 0x14,
  logBlockSize: 0x18,
  blocksPerGroup: 0x20,
  inodesPerGroup: 0x28,
  mountTime: 0x2c,
  mountCount: 0x34,
  magic: 0x38,
  state: 0x3a,
  inodeSize: 0x58,
  incompatible: 0x60,
  uuid: 0x68,
  reservedGdtBlocks: 0xce,
  descriptorSize: 0xfe,
  blocksHigh: 0x150,
} as const;

const STATE_VALID = 1;
const STATE_ERROR = 2;
const INCOMPATIBLE_64_BIT = 0x80;

/** mke2fs and resize2fs make no last group that has fewer blocks than this left for data. */
const LEAST_DATA_BLOCKS = 50n;
/** They round down to pages, of which these are the largest that Linux has. */
const PAGE_BYTES = 65_536n;

/** Reads the 512 bytes at 1024 of an ext3 or ext4; undefined when they are no superblock. */
export function parseExtSuperblock(bytes: Buffer): Superblock | undefined {
  // Two bytes are met by chance, in what an encrypted device shows where nothing was written.
  if (bytes.readUInt16LE(AT.magic) !== MAGIC || bytes.readUInt32LE(AT.logBlockSize) > MOST_LOG_BLOCK_SIZE) {
    return undefined;
  }
  const state = bytes.readUInt16LE(AT.state);
  const used = bytes.readUInt32LE(AT.mountTime) !== 0 || bytes.readUInt16LE(AT.mountCount) !== 0;
  return {
    uuid: bytes.subarray(AT.uuid, AT.uuid + 16).toString("hex"),
    growsAtBytes: growsAt(bytes),
    // A journal that has to be replayed is the mount's work.
    needsCheck: (state & STATE_VALID) === 0 || (state & STATE_ERROR) !== 0,
    progress: used ? "finished" : "unused",
  };
}

function growsAt(bytes: Buffer): bigint {
  const is64Bit = (bytes.readUInt32LE(AT.incompatible) & INCOMPATIBLE_64_BIT) !== 0;
  const blockSize = 1024n << BigInt(bytes.readUInt32LE(AT.logBlockSize));
  const low = BigInt(bytes.readUInt32LE(AT.blocks));
  const blocks = is64Bit ? low | (BigInt(bytes.readUInt32LE(AT.blocksHigh)) << 32n) : low;
  const perGroup = BigInt(bytes.readUInt32LE(AT.blocksPerGroup)) || 1n;
  const inGroups = blocks - BigInt(bytes.readUInt32LE(AT.firstBlock));
  if (inGroups % perGroup !== 0n) return blocks * blockSize + PAGE_BYTES;
  // What a further group needs for itself: two bitmaps, its inodes, and some of them a backup.
  const group = inGroups / perGroup;
  const inodes = divideUp(BigInt(bytes.readUInt32LE(AT.inodesPerGroup) * bytes.readUInt16LE(AT.inodeSize)), blockSize);
  const descriptorBytes = (group + 1n) * BigInt(is64Bit ? bytes.readUInt16LE(AT.descriptorSize) : 32);
  const reserved = BigInt(bytes.readUInt16LE(AT.reservedGdtBlocks));
  const backup = hasBackup(group) ? 1n + divideUp(descriptorBytes, blockSize) + reserved : 0n;
  return (blocks + 2n + inodes + backup + LEAST_DATA_BLOCKS) * blockSize;
}

/** sparse_super: group 1 and the powers of 3, 5 and 7. */
function hasBackup(group: bigint): boolean {
  return [3n, 5n, 7n].some((base) => {
    let power = 1n;
    while (power < group) power *= base;
    return power === group;
  });
}

function divideUp(amount: bigint, unit: bigint): bigint {
  return (amount + unit - 1n) / unit;
}
