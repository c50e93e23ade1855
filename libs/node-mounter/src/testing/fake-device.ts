import type { FilesystemType } from "../filesystems/filesystem-type.ts";
import { fakeSuperblock } from "./fake-superblock.ts";

/** A filesystem on a fake device. */
export interface FakeFilesystem {
  readonly kind: "filesystem";
  /** What the library mounts can be mounted; any other type can be found. */
  readonly type: string;
  readonly uuid: string;
  readonly label?: string;
  /** As large as the device was when it was made or last grown. Default: the device's size. */
  readonly sizeBytes?: bigint;
  /** Whether it has ever been mounted. Default false. */
  readonly used?: boolean;
  /** Noted in the superblock of ext3 and ext4. e2fsck repairs "small" damage by itself, "large" it does not. Default none. */
  readonly damage?: "small" | "large";
  /** Its superblock is readable but mkfs has not finished. Default false. */
  readonly unfinished?: boolean;
}

/** A LUKS2 container on a fake device. */
export interface FakeLuks {
  readonly kind: "luks";
  readonly uuid: string;
  /** Opens it; undefined: luksFormat has not got as far as the key. */
  readonly key: string | undefined;
  readonly inside: FakeContent;
}

/** What a fake device holds. */
export type FakeContent =
  | { readonly kind: "blank" }
  | FakeFilesystem
  | FakeLuks
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

/** Where a fake container's data begin. */
export const FAKE_LUKS_DATA_BYTES: bigint = 16n * 1024n * 1024n;

/** A piece of what a device reads as. Only what the library looks at is there. */
export function readFake({ content, sizeBytes }: FakeDevice, offset: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const put = (at: bigint, data: Buffer): void => {
    const index = Number(at - offset);
    if (index > -data.length && index < length) data.copy(bytes, Math.max(0, index), Math.max(0, -index));
  };
  const main = content.kind === "filesystem" ? fakeSuperblock(content, sizeBytes) : undefined;
  if (main !== undefined) put(main.offset, main.bytes);
  if (content.kind === "backup-superblock") {
    const lost: FakeFilesystem = { kind: "filesystem", type: content.type, uuid: SOMEBODYS_UUID };
    const backup = fakeSuperblock(lost, sizeBytes);
    if (backup !== undefined) put(backupOffset(content.type, sizeBytes), backup.bytes);
  }
  if (content.kind === "data") for (const at of content.offsets) put(at, Buffer.from([0xff]));
  if (content.kind === "signature" || content.kind === "partitions") put(0n, Buffer.from("signature"));
  return bytes;
}

const SOMEBODYS_UUID = "0c5e7d5a-3f0c-4c0e-8b55-0d0e6f6c2d11";

function backupOffset(type: FilesystemType, sizeBytes: bigint): bigint {
  if (type === "btrfs") return 64n * 1024n * 1024n;
  return type === "xfs" ? (sizeBytes / 4n / 4096n) * 4096n : EXT4_BACKUP;
}

/** Whether a piece reads as zeroes, without building it. */
export function isZeroFake({ content, sizeBytes }: FakeDevice, offset: bigint, length: bigint): boolean {
  if (offset + length > sizeBytes) return false;
  return !marksOf(content, sizeBytes).some((mark) => mark >= offset && mark < offset + length);
}

/** Some bytes that are not zero. */
function marksOf(content: FakeContent, sizeBytes: bigint): readonly bigint[] {
  switch (content.kind) {
    case "blank":
      return [];
    case "data":
      return content.offsets;
    case "backup-superblock":
      return [backupOffset(content.type, sizeBytes)];
    case "luks": {
      const inside = marksOf(content.inside, sizeBytes - FAKE_LUKS_DATA_BYTES);
      return [0n, ...inside.map((mark) => FAKE_LUKS_DATA_BYTES + mark)];
    }
    default:
      return [0n, 1024n];
  }
}
