import { NodeMounterError } from "../host/node-mounter-error.ts";

/** Why a device or its filesystem cannot be used. */
export const FILESYSTEM_ERROR_CODES = [
  /** The device holds another filesystem than the one asked for. */
  "WRONG_TYPE",
  /** The device holds something that is no filesystem: a partition table, RAID, LUKS, LVM, or data of unknown form. */
  "NOT_BLANK",
  /** The record says that this volume was formatted, yet no filesystem is found: it is damaged, not new. */
  "FORMATTED_BEFORE",
  /** The volume must hold data already (a clone, a restore), yet no filesystem is found. */
  "MUST_NOT_FORMAT",
  /** The filesystem asked for is used where it is found and never made, and none is found. */
  "NEVER_MADE",
  /** There is no unused proof of blankness, and reading the whole device has been turned off. */
  "NO_PROOF",
  /** Reading the whole device for zeroes goes on: repeat the call. */
  "STILL_READING",
  /** A format of this volume is under way. */
  "BUSY",
  /** The device is not there, is no block device, or its path ends in a symlink. */
  "NOT_A_DEVICE",
  /** The kernel has lost the device, while its node, its mount or its mapping is still there. */
  "DEVICE_GONE",
  /** The device could not be probed or read, so nothing is known about it. */
  "PROBE_FAILED",
  /** mkfs failed, or what it made is not what was asked. */
  "FORMAT_FAILED",
  /** fsck found damage that it does not repair by itself. */
  "NEEDS_REPAIR",
  /** fsck could not do its work. */
  "CHECK_FAILED",
  /** The filesystem is not mounted where it should be grown. */
  "NOT_MOUNTED",
  /** Growing failed. */
  "GROW_FAILED",
  /** Statistics could not be read. */
  "STATS_FAILED",
  /** The key does not open the encrypted device. */
  "WRONG_KEY",
  /** The mapping that shows an encrypted device decrypted belongs to another device or container. */
  "WRONG_MAPPING",
  /** The encrypted device is still in use. */
  "IN_USE",
  /** Opening, growing or closing an encrypted device failed. */
  "ENCRYPTION_FAILED",
  /** The record of a volume cannot be read. */
  "BAD_RECORD",
] as const;

/** One of {@link FILESYSTEM_ERROR_CODES}. */
export type FilesystemErrorCode = (typeof FILESYSTEM_ERROR_CODES)[number];

/** A device or filesystem that cannot be used; the message says which, why and what to do. */
export class FilesystemError extends NodeMounterError<FilesystemErrorCode> {
  override readonly name = "FilesystemError";
}
