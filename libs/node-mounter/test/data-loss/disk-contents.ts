import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { dosTable, gptTable, lvmLabel, mdSuperblock, type Piece, zfsLabels } from "./crafted-signatures.ts";
import { type ScratchDisk, writeAt } from "./scratch-disk.ts";
import type { SeededRandom } from "./seeded-random.ts";

const KIB = 1024;
const MIB = 1024 ** 2;

/** What a disk of the suite carries. */
export interface DiskContent {
  readonly kind: string;
  readonly sizeBytes: number;
  /**
   * How the library can know it: `signature` by blkid or wipefs; `superblock` by a backup superblock; `edge` by data in
   * its head or tail; `data` only by reading all of it; `blank` holds nothing.
   */
  readonly known: "blank" | "signature" | "superblock" | "edge" | "data";
  /** The filesystem that is found on it, and used where it is asked for. */
  readonly usable?: string;
  readonly fill: (disk: ScratchDisk, random: SeededRandom) => void;
}

type Maker = readonly [command: string, ...args: string[]];

const MAKERS = {
  "ext4-1k": ["mkfs.ext4", "-q", "-F", "-b", "1024"],
  "ext4-2k": ["mkfs.ext4", "-q", "-F", "-b", "2048"],
  "ext4-4k": ["mkfs.ext4", "-q", "-F", "-b", "4096"],
  ext3: ["mkfs.ext3", "-q", "-F"],
  xfs: ["mkfs.xfs", "-q", "-f"],
  btrfs: ["mkfs.btrfs", "-q", "-f"],
} as const satisfies Readonly<Record<string, Maker>>;

/** The first sector of an xfs before the superblock of an ext4: blkid decides for neither. */
function makeAmbivalent(disk: ScratchDisk): void {
  run(MAKERS.xfs, disk);
  const sector = readFileSync(disk.file).subarray(0, 512);
  run(MAKERS["ext4-4k"], disk);
  writeAt(disk, 0, sector);
}

const SUPERBLOCK_AT: Readonly<Record<string, number>> = { ext3: KIB, ext4: KIB, xfs: 0, btrfs: 64 * KIB };

/** mkfs.btrfs takes no less than 109 MiB. */
const SMALL_BYTES = 128 * MIB;
/** mkfs.xfs takes no less than 300 MiB. */
const LARGE_BYTES = 320 * MIB;

/** Enough for what a filesystem is made on to have a backup of its superblock. */
const SIZES: Readonly<Record<keyof typeof MAKERS, number>> = {
  "ext4-1k": 64 * MIB,
  "ext4-2k": 64 * MIB,
  "ext4-4k": 160 * MIB,
  ext3: 64 * MIB,
  xfs: LARGE_BYTES,
  btrfs: SMALL_BYTES,
};

function run([command, ...args]: Maker, disk: ScratchDisk, input = ""): void {
  execFileSync(command, [...args, disk.device], { input, stdio: ["pipe", "ignore", "pipe"] });
}

function pieces(make: (sizeBytes: number) => readonly Piece[]): DiskContent["fill"] {
  return (disk) => {
    for (const { offset, bytes } of make(disk.sizeBytes)) writeAt(disk, offset, bytes);
  };
}

function luks(version: "luks1" | "luks2"): DiskContent["fill"] {
  const fast = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--batch-mode", "--key-file=-"];
  return (disk) => run(["cryptsetup", "luksFormat", "--type", version, ...fast], disk, "secret");
}

const filesystems = Object.entries(SIZES).flatMap(([name, sizeBytes]): DiskContent[] => {
  const [usable = ""] = name.split("-");
  const make = (disk: ScratchDisk): void => run(MAKERS[name as keyof typeof MAKERS], disk);
  const zeroed = [512, 4 * KIB, 64 * KIB, MIB, 4 * MIB].map(
    (bytes): DiskContent => ({
      kind: `${name}, its first ${bytes / KIB} KiB zeroed`,
      sizeBytes,
      // The superblock of ext4 is behind its first kibibyte, that of btrfs behind its first 64.
      known: isBehind(usable, bytes) ? "signature" : "superblock",
      ...(isBehind(usable, bytes) && { usable }),
      fill(disk) {
        make(disk);
        writeAt(disk, 0, Buffer.alloc(bytes));
      },
    }),
  );
  return [
    { kind: name, sizeBytes, known: "signature", usable, fill: make },
    ...zeroed,
    {
      kind: `${name}, its superblock overwritten`,
      sizeBytes,
      known: "superblock",
      fill(disk, random) {
        make(disk);
        writeAt(disk, SUPERBLOCK_AT[usable] ?? 0, random.bytes(512));
      },
    },
  ];
});

function isBehind(type: string, bytes: number): boolean {
  return (SUPERBLOCK_AT[type] ?? 0) >= bytes;
}

/** Bytes at a place: `edge` where every probe looks, else only what reads all of the disk sees them. */
function bytesAt(kind: string, known: "edge" | "data", place: (random: SeededRandom) => number): DiskContent {
  return {
    kind,
    sizeBytes: SMALL_BYTES,
    known,
    fill: (disk, random) => writeAt(disk, place(random), random.bytes(1 + random.below(4 * KIB))),
  };
}

/** All contents. */
export const DISK_CONTENTS: readonly DiskContent[] = [
  { kind: "blank", sizeBytes: SMALL_BYTES, known: "blank", fill: () => undefined },
  { kind: "blank, large", sizeBytes: LARGE_BYTES, known: "blank", fill: () => undefined },
  ...filesystems,
  { kind: "ext4 and xfs at once", sizeBytes: LARGE_BYTES, known: "signature", fill: makeAmbivalent },
  { kind: "swap", sizeBytes: SMALL_BYTES, known: "signature", fill: (disk) => run(["mkswap"], disk) },
  { kind: "LUKS1", sizeBytes: SMALL_BYTES, known: "signature", fill: luks("luks1") },
  { kind: "LUKS2", sizeBytes: SMALL_BYTES, known: "signature", fill: luks("luks2") },
  { kind: "LVM", sizeBytes: SMALL_BYTES, known: "signature", fill: pieces(lvmLabel) },
  { kind: "md 1.0", sizeBytes: SMALL_BYTES, known: "signature", fill: pieces((size) => mdSuperblock("1.0", size)) },
  { kind: "md 1.2", sizeBytes: SMALL_BYTES, known: "signature", fill: pieces((size) => mdSuperblock("1.2", size)) },
  { kind: "dos", sizeBytes: SMALL_BYTES, known: "signature", fill: pieces(dosTable) },
  { kind: "gpt", sizeBytes: SMALL_BYTES, known: "signature", fill: pieces((size) => gptTable(size, "all")) },
  { kind: "gpt, head wiped", sizeBytes: SMALL_BYTES, known: "edge", fill: pieces((size) => gptTable(size, "tail")) },
  { kind: "ZFS", sizeBytes: SMALL_BYTES, known: "signature", fill: pieces(zfsLabels) },
  bytesAt("random bytes in the head", "edge", (random) => random.below(4 * MIB - 4 * KIB)),
  bytesAt("random bytes in the tail", "edge", (random) => SMALL_BYTES - 4 * MIB + random.below(4 * MIB - 4 * KIB)),
  bytesAt("one last byte", "edge", () => SMALL_BYTES - 4 * KIB),
  bytesAt("random bytes in the middle", "data", (random) => 4 * MIB + random.below(SMALL_BYTES - 8 * MIB - 4 * KIB)),
  bytesAt("data behind a zeroed head", "data", () => 4 * MIB + 512),
];
