import type { MadeFilesystemType } from "./filesystem-type.ts";

/** Where a filesystem keeps its superblock or a backup of it. */
export interface SuperblockPlace {
  readonly type: MadeFilesystemType;
  /** In bytes. */
  readonly offset: bigint;
}

const KIB = 1024n;
const MIB = 1024n * KIB;
const XFS_BLOCK = 4n * KIB;

const EXT_BLOCKS = [KIB, 2n * KIB, 4n * KIB] as const;
/** The first groups with a backup (mke2fs(8), sparse_super: 1 and powers of 3, 5 and 7). */
const EXT_GROUPS = [1n, 3n, 5n, 7n, 9n, 25n, 27n, 49n, 81n] as const;

/** Quarters are mkfs.xfs's usual allocation groups; disks of several spindles get more of them. */
const XFS_PARTS: readonly (readonly [bigint, bigint])[] = [
  [1n, 4n],
  [2n, 4n],
  [3n, 4n],
  [1n, 8n],
  [1n, 16n],
  [1n, 32n],
];
/** From 4 TiB on a group is as large as can be (XFS_AG_MAX_BLOCKS). */
const XFS_LARGEST_GROUP = 1024n * 1024n * MIB - XFS_BLOCK;

/** Linux: fs/btrfs/volumes.h, btrfs_sb_offset. */
const BTRFS_OFFSETS = [64n * KIB, 64n * MIB, 256n * 1024n * MIB] as const;

/** Where superblocks and their backups lie on a device of this size, for the geometries that mkfs chooses. */
export function superblockPlaces(sizeBytes: bigint): SuperblockPlace[] {
  const places = [
    ...extOffsets().map((offset) => ({ type: "ext4", offset }) as const),
    ...xfsOffsets(sizeBytes).map((offset) => ({ type: "xfs", offset }) as const),
    ...BTRFS_OFFSETS.map((offset) => ({ type: "btrfs", offset }) as const),
  ];
  return places.filter(({ offset }) => offset < sizeBytes);
}

function extOffsets(): bigint[] {
  const backups = EXT_BLOCKS.flatMap((block) => {
    const first = block === KIB ? 1n : 0n;
    return EXT_GROUPS.map((group) => (first + group * 8n * block) * block);
  });
  return [KIB, ...backups];
}

function xfsOffsets(sizeBytes: bigint): bigint[] {
  const blocks = sizeBytes / XFS_BLOCK;
  const starts = XFS_PARTS.flatMap(([part, of]) => {
    const down = blocks / of;
    const up = (blocks + of - 1n) / of;
    return [part * down, part * up];
  });
  const large = [1n, 2n, 3n].map((group) => group * XFS_LARGEST_GROUP);
  return [...new Set([0n, ...starts.map((block) => block * XFS_BLOCK), ...large])];
}
