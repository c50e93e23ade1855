import { blockDeviceSize, isZeroRange, readBytes } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";

const EDGE_BYTES = 4n * 1024n * 1024n;
const BACKUP_BYTES = 64n * 1024n;
const EXT4_MAGIC = Buffer.from([0x53, 0xef]);
const EXT4_MAGIC_OFFSET = 0x38n;
const XFS_MAGIC = Buffer.from("XFSB");

/** Where ext4 puts its first backup superblock: start of block group 1, for blocks of 1, 2 and 4 KiB. */
const EXT4_BACKUPS = [8193n * 1024n, 16384n * 2048n, 32768n * 4096n] as const;

/** Where a device that should be blank holds data: its head, its tail or a place of backup superblocks. */
export async function findResidue(host: Host, device: string, options: CallOptions): Promise<string | undefined> {
  const size = await blockDeviceSize(host, device, options);
  const tail = size > EDGE_BYTES ? size - EDGE_BYTES : 0n;
  const backups = [...EXT4_BACKUPS, ...xfsBackups(size)].map((offset) => ({ offset, length: BACKUP_BYTES }));
  for (const { offset, length } of [
    { offset: 0n, length: EDGE_BYTES },
    { offset: tail, length: EDGE_BYTES },
    ...backups,
  ]) {
    if (offset >= size) continue;
    const range = { offset, length: offset + length > size ? size - offset : length };
    if (!(await isZeroRange(host, device, range, options)))
      return `data without a known signature at byte ${offset} or after`;
  }
  return undefined;
}

/** A backup superblock on a device whose main one is missing: a damaged filesystem, not a blank device. */
export async function findBackupSuperblock(
  host: Host,
  device: string,
  options: CallOptions,
): Promise<string | undefined> {
  const size = await blockDeviceSize(host, device, options);
  const places = [
    ...EXT4_BACKUPS.map((offset) => ({ type: "ext4", offset: offset + EXT4_MAGIC_OFFSET, magic: EXT4_MAGIC })),
    ...xfsBackups(size).map((offset) => ({ type: "xfs", offset, magic: XFS_MAGIC })),
  ];
  for (const { type, offset, magic } of places) {
    if (offset + BigInt(magic.length) > size) continue;
    const bytes = await readBytes(host, device, { offset, length: magic.length }, options);
    if (bytes.equals(magic)) return `a backup superblock of ${type} at byte ${offset}`;
  }
  return undefined;
}

/** Where mkfs.xfs starts the second of its usual four allocation groups: a quarter, rounded down or up to a block. */
function xfsBackups(size: bigint): bigint[] {
  const blocks = size / 4096n;
  return [...new Set([blocks / 4n, (blocks + 3n) / 4n])].filter((block) => block > 0n).map((block) => block * 4096n);
}
