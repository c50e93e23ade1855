import { randomUUID } from "node:crypto";
import { requireDevice } from "../block-devices/block-device.ts";
import type { Host } from "../host/host.ts";
import { asWritten, type VolumeRecord, type VolumeRecordPatch, type VolumeRecords } from "../records/volume-records.ts";
import { eraseSignature } from "./erase-signature.ts";
import { FilesystemError } from "./filesystem-error.ts";
import { filesystemLabel } from "./filesystem-label.ts";
import { type FilesystemType, MADE_FILESYSTEM_TYPES, type MadeFilesystemType } from "./filesystem-type.ts";
import type { EnsureFilesystemOptions, FilesystemRequest, FormatCall } from "./format-call.ts";
import { requireBlank } from "./format-permit.ts";
import { formattedBefore, mustNotFormat, notBlank, wrongType } from "./format-refusals.ts";
import { makeFilesystem } from "./make-filesystem.ts";
import { describe, type ProbeResult, probeSignatures } from "./probe-device.ts";
import { findForeignSuperblock } from "./residue.ts";
import { mayResume, resumePermit } from "./resume-permit.ts";
import { findSuperblock, readSuperblock, type Superblock } from "./superblock.ts";
import { isUnfinished } from "./unfinished.ts";
import { withProof } from "./used-proofs.ts";

/** The filesystem that a device has. */
export interface EnsuredFilesystem {
  readonly type: FilesystemType;
  readonly uuid: string;
  /** Whether this call made it. */
  readonly formatted: boolean;
  /** Whether it is to be checked (checkFilesystem) before it is mounted. */
  readonly needsCheck: boolean;
  /** The size of its device from which on it can grow: for growFilesystem, which then reads nothing. */
  readonly growsAtBytes: bigint;
}

/**
 * Finds the volume's filesystem, or makes it where that provably destroys nothing. A filesystem of the type asked for is
 * used as it is; anything else is refused. A blank device is formatted only if (a) an unused proof is given or the whole
 * device reads as zeroes, (b) this node's record knows no earlier filesystem of the volume, and (c) every probe is
 * certain to find nothing. An mkfs of this node that was interrupted is repeated, as long as nobody else can have written
 * to the volume or what is there bears its uuid. Throws FilesystemError.
 */
export async function ensureFilesystem(
  host: Host,
  records: VolumeRecords,
  request: FilesystemRequest,
  options: EnsureFilesystemOptions = {},
): Promise<EnsuredFilesystem> {
  const call: FormatCall = { host, records, request, options };
  return records.exclusive(request.volumeId, async () => {
    const record = await records.find(request.volumeId);
    const known = await findKnown(call, record);
    if (known !== undefined) return known;
    const found = await probeSignatures(host, request.device, options);
    if (found.kind === "unclean" || found.kind === "encrypted") throw notBlank(request, describe(found));
    if (found.kind === "filesystem") return useOrFinish(call, record, found);
    if (!request.mayFormat) throw mustNotFormat(request, request.fsType);
    if (record !== undefined && isKnown(request, record)) throw formattedBefore(request, record);
    const type = requireMade(request);
    if (record?.state === "formatting" && mayResume(request, record)) return repeatFormat(call, record, type);
    await requireBlank(call, record);
    return format(call, record, { type, uuid: randomUUID() });
  });
}

/**
 * The filesystem that this node's record knows, by its uuid: what it is needs no other probe. It is looked at once, which
 * is most of what staging a ready volume costs beside connecting and mounting it.
 */
async function findKnown(call: FormatCall, record: VolumeRecord | undefined): Promise<EnsuredFilesystem | undefined> {
  const { host, request, options } = call;
  const { device, fsType } = request;
  const uuid = record?.filesystemUuid;
  if (record?.state !== "formatted" || record.fsType !== fsType || uuid === undefined) return undefined;
  await requireDevice(host, device);
  const superblock = await findSuperblock(host, device, fsType, options);
  if (superblock === undefined || superblock.uuid !== uuid.replaceAll("-", "")) return undefined;
  await recordFilesystem(call, record, uuid);
  return toEnsured(fsType, uuid, superblock, false);
}

/** Whether the device had a filesystem, or a container around one where now its filesystem is looked for. */
function isKnown({ ciphertext }: FilesystemRequest, { state, encryption }: VolumeRecord): boolean {
  return state === "formatted" || (encryption !== undefined && ciphertext === undefined);
}

function requireMade({ volumeId, device, fsType }: FilesystemRequest): MadeFilesystemType {
  const made = MADE_FILESYSTEM_TYPES.find((type) => type === fsType);
  if (made !== undefined) return made;
  throw new FilesystemError(
    "NEVER_MADE",
    `volume "${volumeId}" (${device}) has no ${fsType}, and none is made anew: ask for ${MADE_FILESYSTEM_TYPES.join(", ")}`,
  );
}

async function useOrFinish(
  call: FormatCall,
  record: VolumeRecord | undefined,
  found: Extract<ProbeResult, { kind: "filesystem" }>,
): Promise<EnsuredFilesystem> {
  const { host, request, options } = call;
  const { device, fsType } = request;
  const { uuid } = found;
  if (found.type !== fsType) throw wrongType(request, found.type, fsType);
  if (uuid === undefined) {
    throw new FilesystemError("PROBE_FAILED", `blkid tells no uuid of the ${fsType} on ${device}: check the device`);
  }
  const superblock = await readSuperblock(host, device, fsType, options);
  const ours = record?.state === "formatting" && record.fsType === fsType && record.filesystemUuid === uuid;
  if (ours && request.mayFormat && (await isUnfinished(host, device, superblock, options))) {
    return repeatFormat(call, record, requireMade(request), () => eraseSignature(host, device, fsType, options));
  }
  await recordFilesystem(call, record, uuid);
  return toEnsured(fsType, uuid, superblock, false);
}

async function repeatFormat(
  call: FormatCall,
  record: VolumeRecord,
  type: MadeFilesystemType,
  erase: () => Promise<void> = () => Promise.resolve(),
): Promise<EnsuredFilesystem> {
  const { host, request, options } = call;
  const { volumeId, device } = request;
  const { filesystemUuid, fsType } = record;
  if (filesystemUuid === undefined || fsType !== type) throw formattedBefore(request, record);
  const foreign = await findForeignSuperblock(host, device, filesystemUuid, options);
  if (foreign !== undefined) throw notBlank(request, foreign);
  options.logger?.warn("repeating a format that was interrupted", { volumeId, device });
  await erase();
  // mkfs.xfs and mkfs.btrfs look for themselves; mkfs.ext4 does so only at a terminal.
  const left = await probeSignatures(host, device, options);
  if (left.kind !== "none") throw notBlank(request, describe(left));
  return format(call, record, { type, uuid: filesystemUuid });
}

async function format(
  call: FormatCall,
  record: VolumeRecord | undefined,
  { type, uuid }: { readonly type: MadeFilesystemType; readonly uuid: string },
): Promise<EnsuredFilesystem> {
  const { host, records, request, options } = call;
  const { device, volumeId, mkfsOptions = [] } = request;
  const label = filesystemLabel(volumeId);
  // On disk before mkfs: nothing else permits to repeat it.
  const begun = { state: "formatting", filesystemUuid: uuid, resume: resumePermit(request) } as const;
  await records.update(volumeId, toPatch(call, record, begun));
  await makeFilesystem(host, { device, type, uuid, label, mkfsOptions, logger: options.logger }, options);
  const made = await probeSignatures(host, device, options);
  if (made.kind !== "filesystem" || made.type !== type || made.uuid !== uuid) {
    throw new FilesystemError(
      "FORMAT_FAILED",
      `after mkfs ${device} does not hold ${type} with uuid ${uuid}: check the device`,
    );
  }
  const superblock = await readSuperblock(host, device, type, options);
  await records.update(volumeId, toPatch(call, record, { state: "formatted", filesystemUuid: uuid }));
  options.logger?.info("formatted", { volumeId, device, fsType: type, uuid });
  return toEnsured(type, uuid, superblock, true);
}

/** A volume on which a filesystem was once seen is never formatted, and the proof at hand has served. */
async function recordFilesystem(call: FormatCall, record: VolumeRecord | undefined, uuid: string): Promise<void> {
  const { records, request } = call;
  await records.update(request.volumeId, toPatch(call, record, { state: "formatted", filesystemUuid: uuid }));
}

function toPatch(
  { request: { fsType, blankProof } }: FormatCall,
  record: VolumeRecord | undefined,
  format: Pick<VolumeRecordPatch, "state" | "filesystemUuid" | "resume">,
): VolumeRecordPatch {
  return { ...asWritten(record), ...format, fsType, usedProofs: withProof(record?.usedProofs ?? [], blankProof) };
}

function toEnsured(
  type: FilesystemType,
  uuid: string,
  { needsCheck, growsAtBytes }: Superblock,
  formatted: boolean,
): EnsuredFilesystem {
  return { type, uuid, formatted, needsCheck, growsAtBytes };
}
