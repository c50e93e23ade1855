import type { FakeFilesystem } from "./fake-device.ts";

const BLOCK = 4096;

/** The first superblock of a fake filesystem on a device of this size, and where it lies; undefined for other types. */
export function fakeSuperblock(
  filesystem: FakeFilesystem,
  deviceBytes: bigint,
): { readonly offset: bigint; readonly bytes: Buffer } | undefined {
  const blocks = (filesystem.sizeBytes ?? deviceBytes) / BigInt(BLOCK);
  const { type } = filesystem;
  if (type === "ext3" || type === "ext4") return { offset: 1024n, bytes: ext(filesystem, blocks) };
  if (type === "xfs") return { offset: 0n, bytes: xfs(filesystem, blocks) };
  return type === "btrfs" ? { offset: 65_536n, bytes: btrfs(filesystem, blocks) } : undefined;
}

function ext({ uuid, used = false, damage }: FakeFilesystem, blocks: bigint): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.writeUInt32LE(Number(blocks), 0x04);
  bytes.writeUInt32LE(2, 0x18);
  bytes.writeUInt32LE(32_768, 0x20);
  bytes.writeUInt32LE(8192, 0x28);
  bytes.writeUInt32LE(used ? 1_700_000_000 : 0, 0x2c);
  bytes.writeUInt16LE(used ? 1 : 0, 0x34);
  bytes.writeUInt16LE(0xef53, 0x38);
  bytes.writeUInt16LE(damage === undefined ? 1 : 3, 0x3a);
  bytes.writeUInt16LE(256, 0x58);
  toBytes(uuid).copy(bytes, 0x68);
  return bytes;
}

function xfs({ uuid, unfinished = false }: FakeFilesystem, blocks: bigint): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write("XFSB");
  bytes.writeUInt32BE(BLOCK, 4);
  bytes.writeBigUInt64BE(blocks, 8);
  toBytes(uuid).copy(bytes, 32);
  bytes.writeUInt32BE(Number(blocks / 4n), 84);
  bytes.writeUInt8(unfinished ? 1 : 0, 126);
  return bytes;
}

function btrfs({ uuid }: FakeFilesystem, blocks: bigint): Buffer {
  const bytes = Buffer.alloc(4096);
  toBytes(uuid).copy(bytes, 0x20);
  bytes.write("_BHRfS_M", 0x40);
  bytes.writeUInt32LE(BLOCK, 0x90);
  bytes.writeBigUInt64LE(blocks * BigInt(BLOCK), 0xd1);
  return bytes;
}

function toBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}
