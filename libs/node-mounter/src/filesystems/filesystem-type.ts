/** The filesystems that the library makes, checks and grows. */
export const FILESYSTEM_TYPES = ["ext4", "xfs"] as const;

/** One of {@link FILESYSTEM_TYPES}. */
export type FilesystemType = (typeof FILESYSTEM_TYPES)[number];
