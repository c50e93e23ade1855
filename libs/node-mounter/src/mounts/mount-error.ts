import { NodeMounterError } from "../host/node-mounter-error.ts";

/** Why a mount could not be made or removed. */
export const MOUNT_ERROR_CODES = [
  /** Something else is mounted on the target. */
  "TARGET_BUSY",
  /** The right thing is mounted on the target, read-only where read-write is asked or the reverse. */
  "MISMATCH",
  /** The last component of the path is a symlink. */
  "SYMLINK",
  /** The source is not a block device. */
  "NOT_A_DEVICE",
  /** The source of a bind mount does not exist. */
  "SOURCE_MISSING",
  /** The target is a file where a directory is needed, or the reverse. */
  "WRONG_KIND",
  /** The target holds files of somebody else and is therefore kept. */
  "NOT_EMPTY",
  /** The path is not absolute and plain. */
  "BAD_PATH",
  /** Options contradict each other. */
  "CONFLICTING_OPTIONS",
  /** The mount table changes faster than it can be read. */
  "UNSTABLE",
  /** mount or umount failed. */
  "COMMAND_FAILED",
] as const;

/** One of {@link MOUNT_ERROR_CODES}. */
export type MountErrorCode = (typeof MOUNT_ERROR_CODES)[number];

/** A mount that could not be made or removed; the message says which, why and what to do. */
export class MountError extends NodeMounterError<MountErrorCode> {
  override readonly name = "MountError";
}
