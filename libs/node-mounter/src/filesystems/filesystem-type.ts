/** The filesystems that the library finds, checks, mounts and grows. */
export const FILESYSTEM_TYPES = ["ext3", "ext4", "xfs", "btrfs"] as const;

/** One of {@link FILESYSTEM_TYPES}. */
export type FilesystemType = (typeof FILESYSTEM_TYPES)[number];

/** Those that it makes. ext3 is used where it is found, and never made anew. */
export const MADE_FILESYSTEM_TYPES = ["ext4", "xfs", "btrfs"] as const;

/** One of {@link MADE_FILESYSTEM_TYPES}. */
export type MadeFilesystemType = (typeof MADE_FILESYSTEM_TYPES)[number];
