import type { EncryptionRequest } from "../../src/encryption/encryption-request.ts";
import type { FilesystemType } from "../../src/filesystems/filesystem-type.ts";
import type { VolumeRecordPatch } from "../../src/records/volume-records.ts";
import { DISK_CONTENTS, type DiskContent } from "./disk-contents.ts";
import { SeededRandom } from "./seeded-random.ts";

const MIB = 1024 ** 2;

/** What goes wrong while a disk is looked at. */
export type DiskFault =
  | { readonly kind: "none" }
  | { readonly kind: "read error"; readonly offset: number; readonly length: number }
  | { readonly kind: "transient zeroes"; readonly until: number | "flush" };

const PROOFS = ["none", "fresh", "used"] as const;
/** `formatting before`: the volume has left this node since, so that the record permits nothing. */
const RECORDS = ["none", "formatting", "formatting before", "formatted", "formatting another", "encrypted"] as const;

/** One disk and one call. */
export interface DataLossCase {
  readonly number: number;
  readonly content: DiskContent;
  readonly wanted: FilesystemType | "LUKS2";
  readonly mayFormat: boolean;
  /** A proof of blankness, which the storage gave (rightly or not), or which has served. */
  readonly proof: (typeof PROOFS)[number];
  /** What this node remembers of the volume. */
  readonly record: (typeof RECORDS)[number];
  readonly fault: DiskFault;
}

/** Cases that together have every content, and a blank disk with every proof, record and permission. */
export function dataLossCases(seed: number, count: number): DataLossCase[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, (_, number) => {
    const turn = Math.floor(number / 4);
    if (number % 4 === 0) return toBlankCase(number, turn, random);
    return toCase(number, OTHERS[(number - turn) % OTHERS.length] ?? random.pick(OTHERS), random);
  });
}

const BLANK = DISK_CONTENTS.filter(({ known }) => known === "blank");
/** What only the own reads tell comes more often: there, each of them stands alone. */
const OTHERS = DISK_CONTENTS.flatMap((content) => {
  const times = { blank: 0, signature: 1, superblock: 1, edge: 3, data: 2 }[content.known];
  return Array.from({ length: times }, () => content);
});
const WANTED = ["ext4", "ext4", "xfs", "btrfs", "ext3", "LUKS2"] as const;

function toBlankCase(number: number, turn: number, random: SeededRandom): DataLossCase {
  const content = random.pick(BLANK);
  const proof = PROOFS[turn % PROOFS.length] ?? "none";
  const each = { number, content, wanted: random.pick(WANTED), proof };
  const combination = Math.floor(turn / PROOFS.length);
  if (combination < 2 * RECORDS.length) {
    const record = RECORDS[combination % RECORDS.length] ?? "none";
    return { ...each, record, mayFormat: combination < RECORDS.length, fault: toFault(content, random) };
  }
  // All combinations were there: the rest may be formatted.
  const wanted = random.pick(["ext4", "xfs", "btrfs", "LUKS2"] as const);
  return { ...each, wanted, record: "none", mayFormat: true, fault: { kind: "none" } };
}

function toCase(number: number, content: DiskContent, random: SeededRandom): DataLossCase {
  const { known, usable } = content;
  return {
    number,
    content,
    wanted: usable !== undefined && random.below(3) === 0 ? toType(usable) : random.pick(WANTED),
    mayFormat: random.below(5) > 0,
    // A proof that is wrong is found out where probes look; what lies elsewhere is the storage's word.
    proof: random.pick(known === "data" ? (["none", "used"] as const) : (["none", "fresh", "fresh", "used"] as const)),
    // A killed mkfs leaves data without a signature, so that the record alone tells whose it is.
    record: random.pick(
      known === "edge" || known === "data"
        ? (["none", "none", "formatted"] as const)
        : (["none", "none", ...RECORDS] as const),
    ),
    fault: toFault(content, random),
  };
}

function toType(usable: string): FilesystemType {
  return usable === "ext3" || usable === "xfs" || usable === "btrfs" ? usable : "ext4";
}

function toFault({ known, sizeBytes }: DiskContent, random: SeededRandom): DiskFault {
  const kind = random.below(4);
  if (kind === 0) {
    const offset = random.pick([0, 1024, 65_536, MIB, sizeBytes / 2, sizeBytes - 4096, random.below(sizeBytes)]);
    return { kind: "read error", offset, length: 512 + random.below(65_536) };
  }
  // With a disk that only a whole read tells from a blank one, a read that lies cannot be found out.
  if (kind === 1 && known !== "data")
    return { kind: "transient zeroes", until: random.pick([1, 2, 3, "flush"] as const) };
  return { kind: "none" };
}

/** Whether a case may be formatted: nothing is on the disk, it is provable, and neither call nor record forbids it. */
export function mayBeFormatted({ content, wanted, mayFormat, record, fault, proof }: DataLossCase): boolean {
  if (content.known !== "blank" || !mayFormat || wanted === "ext3") return false;
  if (record !== "none" && (!["formatting", "formatting before"].includes(record) || wanted === "LUKS2")) return false;
  if (fault.kind !== "read error" || record === "formatting") return true;
  const end = fault.offset + fault.length;
  const isSeen = fault.offset < 4 * MIB || end > content.sizeBytes - 4 * MIB;
  return proof === "fresh" && !isSeen;
}

/** Whether it has to be formatted: it may, and nothing goes wrong. */
export function mustBeFormatted(each: DataLossCase): boolean {
  return mayBeFormatted(each) && each.fault.kind !== "read error";
}

/** What the node remembers of the volume. */
export function toRecord({ record, wanted, proof }: DataLossCase): VolumeRecordPatch {
  const fsType = wanted === "LUKS2" ? "ext4" : wanted;
  const another = fsType === "xfs" ? "ext4" : "xfs";
  const filesystemUuid = RECORDED_UUID;
  const formats: Readonly<Record<DataLossCase["record"], VolumeRecordPatch>> = {
    none: {},
    formatting: { state: "formatting", fsType, filesystemUuid, resume: { attached: true } },
    "formatting before": { state: "formatting", fsType, filesystemUuid },
    "formatting another": { state: "formatting", fsType: another, filesystemUuid, resume: { attached: true } },
    formatted: { state: "formatted", fsType, filesystemUuid },
    encrypted: { encryption: { uuid: RECORDED_UUID, state: "formatted" } },
  };
  return { usedProofs: proof === "used" ? [PROOF_ID] : [], ...formats[record] };
}

/** The request that all of them share. */
export function toRequest(
  { number, mayFormat, proof }: DataLossCase,
  device: string,
): Pick<EncryptionRequest, "device" | "volumeId" | "mayFormat" | "blankProof"> {
  return { device, volumeId: `v${number}`, mayFormat, ...(proof !== "none" && { blankProof: { id: PROOF_ID } }) };
}

const PROOF_ID = "proof";
const RECORDED_UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
