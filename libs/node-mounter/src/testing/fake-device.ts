import type { FilesystemType } from "../filesystems/filesystem-type.ts";

/** A filesystem on a fake device. */
export interface FakeFilesystem {
  readonly kind: "filesystem";
  /** ext4 and xfs can be mounted; any other type can be found. */
  readonly type: string;
  readonly uuid: string;
  readonly label?: string;
  /** As large as the device was when it was made or last grown. Default: the device's size. */
  readonly sizeBytes?: bigint;
  /** Whether it has ever been mounted. Default false. */
  readonly used?: boolean;
  /** e2fsck repairs "small" damage by itself, "large" it does not. Default none. */
  readonly damage?: "small" | "large";
  /** Its superblock is readable but mkfs has not finished. Default false. */
  readonly unfinished?: boolean;
}

/** What a fake device holds. */
export type FakeContent =
  | { readonly kind: "blank" }
  | FakeFilesystem
  /** A signature that is no filesystem's: "LVM2_member" with usage "raid", "crypto_LUKS" with "crypto", … */
  | { readonly kind: "signature"; readonly type: string; readonly usage: string }
  | { readonly kind: "partitions"; readonly type: string }
  /** Bytes other than zero at these offsets, without a signature. */
  | { readonly kind: "data"; readonly offsets: readonly bigint[] }
  /** The main superblock is gone, a backup is there. */
  | { readonly kind: "backup-superblock"; readonly type: FilesystemType };

/** A fake block device. Fields may be changed at any time. */
export interface FakeDevice {
  readonly path: string;
  readonly deviceNumber: string;
  sizeBytes: bigint;
  content: FakeContent;
  /** Reads fail with an I/O error. */
  broken: boolean;
}

const EXT4_BACKUP = 32768n * 4096n;

/** A piece of what a device reads as. Only what the library looks at is there. */
export function readFake({ content, sizeBytes }: FakeDevice, offset: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const put = (at: bigint, data: Buffer): void => {
    const index = Number(at - offset);
    if (index > -data.length && index < length) data.copy(bytes, Math.max(0, index), Math.max(0, -index));
  };
  if (content.kind === "filesystem" && content.type === "ext4") put(1024n, ext4Superblock(content));
  if (content.kind === "filesystem" && content.type === "xfs") put(0n, xfsSuperblock(content));
  if (content.kind === "backup-superblock" && content.type === "ext4")
    put(EXT4_BACKUP + 0x38n, Buffer.from([0x53, 0xef]));
  if (content.kind === "backup-superblock" && content.type === "xfs")
    put((sizeBytes / 4n / 4096n) * 4096n, Buffer.from("XFSB"));
  if (content.kind === "data") for (const at of content.offsets) put(at, Buffer.from([0xff]));
  if (content.kind === "signature" || content.kind === "partitions") put(0n, Buffer.from("signature"));
  return bytes;
}

/** Whether a piece reads as zeroes, without building it. */
export function isZeroFake(device: FakeDevice, offset: bigint, length: bigint): boolean {
  const { content, sizeBytes } = device;
  if (offset + length > sizeBytes) return false;
  const marks: readonly bigint[] =
    content.kind === "blank"
      ? []
      : content.kind === "data"
        ? content.offsets
        : content.kind === "backup-superblock"
          ? [content.type === "ext4" ? EXT4_BACKUP : (sizeBytes / 4n / 4096n) * 4096n]
          : [0n, 1024n];
  return !marks.some((mark) => mark >= offset && mark < offset + length);
}

function ext4Superblock({ uuid, used = false }: FakeFilesystem): Buffer {
  const block = Buffer.alloc(1024);
  block.writeUInt32LE(used ? 1_700_000_000 : 0, 0x2c);
  block.writeUInt16LE(used ? 1 : 0, 0x34);
  block.writeUInt16LE(0xef53, 0x38);
  Buffer.from(uuid.replaceAll("-", ""), "hex").copy(block, 0x68);
  return block;
}

function xfsSuperblock({ uuid, unfinished = false }: FakeFilesystem): Buffer {
  const block = Buffer.alloc(512);
  block.write("XFSB");
  Buffer.from(uuid.replaceAll("-", ""), "hex").copy(block, 32);
  block.writeUInt8(unfinished ? 1 : 0, 126);
  return block;
}
