import { crc32 } from "node:zlib";

/** Bytes for a place on a disk. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Buffer;
}

const SECTOR = 512;
const KIB = 1024;

/** An LVM physical volume's label (lib/format_text/layout.h), in the second sector. */
export function lvmLabel(): Piece[] {
  const bytes = Buffer.alloc(SECTOR);
  bytes.write("LABELONE");
  bytes.writeBigUInt64LE(1n, 8);
  bytes.writeUInt32LE(32, 20);
  bytes.write("LVM2 001", 24);
  bytes.write("YXkfP69oz3gfNo1vJmqtRnLzwMhBXqBC", 32);
  // A CRC-32 that is neither inverted before nor after.
  bytes.writeUInt32LE(~crc32(bytes.subarray(20), ~0xf597a6cf >>> 0) >>> 0, 16);
  return [{ offset: SECTOR, bytes }];
}

/** A superblock of Linux's software RAID (include/uapi/linux/raid/md_p.h): 1.2 at 4 KiB, 1.0 at the end. */
export function mdSuperblock(version: "1.0" | "1.2", sizeBytes: number): Piece[] {
  const sectors = sizeBytes / SECTOR;
  const offset = version === "1.2" ? 4 * KIB : Math.floor((sectors - 16) / 8) * 8 * SECTOR;
  const bytes = Buffer.alloc(4 * KIB);
  bytes.writeUInt32LE(0xa92b4efc, 0);
  bytes.writeUInt32LE(1, 4);
  bytes.write("0123456789abcdef", 16);
  bytes.write("host:0", 32);
  bytes.writeUInt32LE(1, 72);
  bytes.writeBigUInt64LE(BigInt(sectors - 64), 80);
  bytes.writeUInt32LE(2, 92);
  bytes.writeBigUInt64LE(BigInt(offset / SECTOR), 144);
  bytes.writeUInt32LE(2, 220);
  let sum = 0n;
  for (let at = 0; at < 256 + 2 * 2; at += 4) sum += BigInt(bytes.readUInt32LE(at));
  bytes.writeUInt32LE(Number(((sum & 0xffffffffn) + (sum >> 32n)) & 0xffffffffn), 216);
  return [{ offset, bytes }];
}

/** An MBR with one partition. */
export function dosTable(sizeBytes: number, type = 0x83): Piece[] {
  const bytes = Buffer.alloc(SECTOR);
  bytes.writeUInt8(type, 446 + 4);
  bytes.writeUInt32LE(type === 0xee ? 1 : 2048, 446 + 8);
  bytes.writeUInt32LE(sizeBytes / SECTOR - 2048, 446 + 12);
  bytes.writeUInt16LE(0xaa55, 510);
  return [{ offset: 0, bytes }];
}

/** A GPT with one partition, or what is left of it at the end when its head was wiped. */
export function gptTable(sizeBytes: number, parts: "all" | "tail"): Piece[] {
  const last = sizeBytes / SECTOR - 1;
  const entries = Buffer.alloc(128 * 128);
  entries.write("partition-type-1unique-partition", 0);
  entries.writeBigUInt64LE(2048n, 32);
  entries.writeBigUInt64LE(BigInt(last - 2048), 40);
  const tail = [
    { offset: (last - 32) * SECTOR, bytes: entries },
    { offset: last * SECTOR, bytes: gptHeader({ own: last, other: 1, entriesAt: last - 32, last, entries }) },
  ];
  if (parts === "tail") return tail;
  const head = { offset: SECTOR, bytes: gptHeader({ own: 1, other: last, entriesAt: 2, last, entries }) };
  return [...dosTable(sizeBytes, 0xee), head, { offset: 2 * SECTOR, bytes: entries }, ...tail];
}

interface GptHeader {
  readonly own: number;
  readonly other: number;
  readonly entriesAt: number;
  readonly last: number;
  readonly entries: Buffer;
}

function gptHeader({ own, other, entriesAt, last, entries }: GptHeader): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.write("EFI PART");
  bytes.writeUInt32LE(0x00010000, 8);
  bytes.writeUInt32LE(92, 12);
  for (const [at, block] of [
    [24, own],
    [32, other],
    [40, 34],
    [48, last - 33],
    [72, entriesAt],
  ] as const) {
    bytes.writeBigUInt64LE(BigInt(block), at);
  }
  bytes.write("the-disk's-guid!", 56);
  bytes.writeUInt32LE(128, 80);
  bytes.writeUInt32LE(128, 84);
  bytes.writeUInt32LE(crc32(entries), 88);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 92)), 16);
  return bytes;
}

/** The four labels of a ZFS disk, each with a ring of uberblocks (include/sys/vdev_impl.h, uberblock_impl.h). */
export function zfsLabels(sizeBytes: number): Piece[] {
  const label = 256 * KIB;
  const ring = Buffer.alloc(128 * KIB);
  for (let at = 0; at < ring.length; at += KIB) {
    ring.writeBigUInt64LE(0x00bab10cn, at);
    ring.writeBigUInt64LE(5000n, at + 8);
    ring.writeBigUInt64LE(BigInt(at / KIB + 1), at + 16);
  }
  const end = Math.floor(sizeBytes / label) * label;
  return [0, label, end - 2 * label, end - label].map((offset) => ({ offset: offset + 128 * KIB, bytes: ring }));
}
