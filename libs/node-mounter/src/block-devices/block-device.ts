import { FilesystemError } from "../filesystems/filesystem-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { FileStat, Host, RunResult } from "../host/host.ts";
import { readAttribute } from "../host/kernel-files.ts";

const SECTOR_BYTES = 512n;

/** Throws FilesystemError `NOT_A_DEVICE` unless `device` itself, not what a symlink leads to, is a block device. */
export async function requireDevice(host: Host, device: string): Promise<FileStat> {
  const found = await host.files.lstat(device);
  if (found?.kind === "block") return found;
  const what = found === undefined ? "does not exist" : `is a ${found.kind}, no block device`;
  throw new FilesystemError("NOT_A_DEVICE", `device ${device} ${what}: attach the volume again`);
}

/**
 * Size of a block device in bytes, as sysfs tells it. Throws FilesystemError `NOT_A_DEVICE`, or `DEVICE_GONE` when only
 * its node is left.
 */
export async function blockDeviceSize(host: Host, device: string): Promise<bigint> {
  const { deviceNumber } = await requireDevice(host, device);
  const sectors = await readAttribute(host, `/sys/dev/block/${deviceNumber}/size`);
  if (sectors === undefined) {
    throw new FilesystemError("DEVICE_GONE", `the kernel has no device ${device} any more: attach the volume again`);
  }
  // Whatever the device's own block size, sysfs counts these.
  return BigInt(sectors) * SECTOR_BYTES;
}

/** The smallest piece that a device reads or writes, in bytes. Throws FilesystemError as {@link blockDeviceSize} does. */
export async function logicalBlockSize(host: Host, device: string): Promise<number> {
  const { deviceNumber } = await requireDevice(host, device);
  const bytes = await readAttribute(host, `/sys/dev/block/${deviceNumber}/queue/logical_block_size`);
  if (bytes !== undefined) return Number(bytes);
  throw new FilesystemError("DEVICE_GONE", `the kernel has no device ${device} any more: attach the volume again`);
}

/** Bytes of a device, read by a child process. Default deadline 30 s. */
export async function readBytes(
  host: Host,
  device: string,
  range: ByteRange,
  options: CallOptions = {},
): Promise<Buffer> {
  const { timeoutMs = 30_000, signal } = options;
  const args = ["-An", "-v", "-tx1", "-j", String(range.offset), "-N", String(range.length), device];
  const result = await host.run("od", args, { timeoutMs, signal });
  const bytes = Buffer.from(result.stdout.replaceAll(/\s/g, ""), "hex");
  if (result.exitCode !== 0 || bytes.length !== range.length) throw probeFailed(device, "reading by od", result);
  return bytes;
}

/** A piece of a device. */
export interface ByteRange {
  readonly offset: bigint;
  readonly length: number;
}

/**
 * Whether a piece of a device reads as zeroes (cmp(1): 0 same, 1 different or shorter, else trouble). Throws
 * FilesystemError `PROBE_FAILED` when it cannot be read.
 */
export async function isZeroRange(
  host: Host,
  device: string,
  { offset, length }: { readonly offset: bigint; readonly length: bigint },
  options: CallOptions = {},
): Promise<boolean> {
  const { timeoutMs = 300_000, signal } = options;
  const args = ["-n", String(length), "-i", `${offset}:0`, device, "/dev/zero"];
  const result = await host.run("cmp", args, { timeoutMs, signal });
  if (result.exitCode > 1) throw probeFailed(device, `reading at ${offset}`, result);
  return result.exitCode === 0;
}

/** Drops what the kernel cached of a device, so that a read asks the device itself. */
export async function dropCache(host: Host, device: string, options: CallOptions = {}): Promise<void> {
  const { timeoutMs = 60_000, signal } = options;
  const result = await host.run("blockdev", ["--flushbufs", device], { timeoutMs, signal });
  if (result.exitCode !== 0) throw probeFailed(device, "blockdev --flushbufs", result);
}

/** The error for a device about which nothing could be learnt. */
export function probeFailed(device: string, what: string, { exitCode, stderr }: RunResult): FilesystemError {
  const said = stderr.trim() === "" ? "" : `: ${stderr.trim()}`;
  return new FilesystemError(
    "PROBE_FAILED",
    `${what} of ${device} failed with exit code ${exitCode}${said}; nothing was changed: check the device and its connection`,
  );
}
