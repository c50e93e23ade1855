import { blockDeviceSize, dropCache, isZeroRange } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";

/** How a device is read. */
export interface ZeroReadOptions extends CallOptions {
  /** Where an earlier read got to, in bytes. Default 0. */
  readonly fromBytes?: bigint | undefined;
  /** Bytes that one child process reads. Default 256 MiB. */
  readonly chunkBytes?: bigint | undefined;
  /** Told the offset up to which everything was zero, after each chunk. */
  readonly onProgress?: ((offsetBytes: bigint) => void | Promise<void>) | undefined;
}

/**
 * Reads a device from `fromBytes` to its end and says whether every byte is zero. Throws FilesystemError `PROBE_FAILED`
 * where it cannot be read. Default deadline 300 s per chunk.
 */
export async function isAllZero(host: Host, device: string, options: ZeroReadOptions = {}): Promise<boolean> {
  const { fromBytes = 0n, chunkBytes = 256n * 1024n * 1024n, onProgress, ...call } = options;
  const size = await blockDeviceSize(host, device);
  await dropCache(host, device, call);
  for (let offset = fromBytes; offset < size; ) {
    const length = size - offset < chunkBytes ? size - offset : chunkBytes;
    if (!(await isZeroRange(host, device, { offset, length }, call))) return false;
    offset += length;
    await onProgress?.(offset);
  }
  return true;
}
