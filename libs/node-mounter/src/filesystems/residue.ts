import { blockDeviceSize, isZeroRange, readBytes } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { SUPERBLOCK_BYTES, SUPERBLOCK_FORMATS } from "./superblock.ts";
import { superblockPlaces } from "./superblock-places.ts";

const EDGE_BYTES = 4n * 1024n * 1024n;
const BACKUP_BYTES = 64n * 1024n;

/** A device from a byte to its end. */
export interface DeviceArea {
  readonly device: string;
  /** 0 for all of it. */
  readonly startBytes: bigint;
}

/** Where an area that should be blank holds data: its head, its tail or a place of backup superblocks. */
export async function findResidue(
  host: Host,
  { device, startBytes }: DeviceArea,
  options: CallOptions,
): Promise<string | undefined> {
  const size = (await blockDeviceSize(host, device)) - startBytes;
  const tail = size > EDGE_BYTES ? size - EDGE_BYTES : 0n;
  // Some are of two types at once.
  const backups = new Set(superblockPlaces(size).map(({ offset }) => offset));
  for (const { offset, length } of [
    { offset: 0n, length: EDGE_BYTES },
    { offset: tail, length: EDGE_BYTES },
    ...[...backups].flatMap((offset) =>
      offset >= EDGE_BYTES && offset < tail ? [{ offset, length: BACKUP_BYTES }] : [],
    ),
  ]) {
    const range = { offset: startBytes + offset, length: offset + length > size ? size - offset : length };
    if (!(await isZeroRange(host, device, range, options)))
      return `data without a known signature at byte ${range.offset} or after`;
  }
  return undefined;
}

/**
 * A superblock or a backup of one that does not bear `uuid`: what an interrupted mkfs of ours left bears it, so that this
 * is somebody else's filesystem.
 */
export async function findForeignSuperblock(
  host: Host,
  device: string,
  uuid: string,
  options: CallOptions,
): Promise<string | undefined> {
  const own = uuid.replaceAll("-", "").toLowerCase();
  const size = await blockDeviceSize(host, device);
  for (const { type, offset } of superblockPlaces(size)) {
    if (offset + BigInt(SUPERBLOCK_BYTES) > size) continue;
    const bytes = await readBytes(host, device, { offset, length: SUPERBLOCK_BYTES }, options);
    const found = SUPERBLOCK_FORMATS[type].parse(bytes);
    if (found !== undefined && found.uuid !== own) return `a superblock of another ${type} at byte ${offset}`;
  }
  return undefined;
}
