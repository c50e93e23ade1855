import { randomUUID } from "node:crypto";
import type { Host } from "../host/host.ts";
import type { VolumeRecord, VolumeRecords } from "../records/volume-records.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { FilesystemType } from "./filesystem-type.ts";
import type { EnsureFilesystemOptions, FilesystemRequest, FormatCall } from "./format-call.ts";
import { requireBlank } from "./format-permit.ts";
import { formattedBefore, mustNotFormat, notBlank } from "./format-refusals.ts";
import { makeFilesystem } from "./make-filesystem.ts";
import { type ProbeResult, probeSignatures } from "./probe-device.ts";
import { findBackupSuperblock } from "./residue.ts";
import { isUnfinished } from "./superblock.ts";

/** The filesystem that a device has. */
export interface EnsuredFilesystem {
  readonly type: FilesystemType;
  readonly uuid: string;
  /** Whether this call made it. */
  readonly formatted: boolean;
}

/**
 * Finds the volume's filesystem, or makes it where that provably destroys nothing. A filesystem of the type asked for is
 * used as it is; anything else is refused. A blank device is formatted only if (a) an unused proof is given or the whole
 * device reads as zeroes, (b) this node's record knows no earlier filesystem of the volume, and (c) every probe is
 * certain to find nothing. An mkfs of this node that was interrupted is repeated. Throws FilesystemError.
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
    const found = await probeSignatures(host, request.device, options);
    if (found.kind === "unclean") throw notBlank(request, found.what);
    if (found.kind === "filesystem") return useOrFinish(call, record, found);
    if (!request.mayFormat) throw mustNotFormat(request);
    if (record?.state === "formatted") throw formattedBefore(request, record);
    if (record?.state === "formatting") return repeatFormat(call, record);
    await requireBlank(call, record);
    return format(call, { uuid: randomUUID(), usedProofs: record?.usedProofs ?? [], again: false });
  });
}

async function useOrFinish(
  call: FormatCall,
  record: VolumeRecord | undefined,
  found: Extract<ProbeResult, { kind: "filesystem" }>,
): Promise<EnsuredFilesystem> {
  const { host, request, options } = call;
  const { device, fsType, volumeId } = request;
  if (found.type !== fsType) {
    throw new FilesystemError(
      "WRONG_TYPE",
      `volume "${volumeId}" (${device}) holds ${found.type}, ${fsType} is asked: it is not formatted anew, ask for ${found.type}`,
    );
  }
  if (found.uuid === undefined) {
    throw new FilesystemError("PROBE_FAILED", `blkid tells no uuid of the ${fsType} on ${device}: check the device`);
  }
  const ours = record?.state === "formatting" && record.fsType === fsType && record.filesystemUuid === found.uuid;
  if (ours && request.mayFormat && (await isUnfinished(host, device, fsType, options))) {
    return format(call, { uuid: found.uuid, usedProofs: record.usedProofs, again: true });
  }
  await recordFilesystem(call, record?.usedProofs ?? [], found.uuid);
  return { type: fsType, uuid: found.uuid, formatted: false };
}

async function repeatFormat(call: FormatCall, record: VolumeRecord): Promise<EnsuredFilesystem> {
  const { host, request, options } = call;
  const { filesystemUuid, fsType, usedProofs } = record;
  if (filesystemUuid === undefined || fsType !== request.fsType) throw formattedBefore(request, record);
  const backup = await findBackupSuperblock(host, request.device, options);
  if (backup !== undefined) throw notBlank(request, backup);
  options.logger?.warn("repeating a format that was interrupted", {
    volumeId: request.volumeId,
    device: request.device,
  });
  return format(call, { uuid: filesystemUuid, usedProofs, again: true });
}

interface Format {
  readonly uuid: string;
  readonly usedProofs: readonly string[];
  readonly again: boolean;
}

async function format(call: FormatCall, { uuid, usedProofs, again }: Format): Promise<EnsuredFilesystem> {
  const { host, records, request, options } = call;
  const { device, fsType, volumeId, mkfsOptions = [] } = request;
  // On disk before mkfs: nothing else permits to repeat it.
  await records.update(volumeId, {
    state: "formatting",
    fsType,
    filesystemUuid: uuid,
    usedProofs: withProof(usedProofs, request),
    zeroReadOffset: undefined,
  });
  await makeFilesystem(host, { device, type: fsType, uuid, mkfsOptions, again, logger: options.logger }, options);
  const made = await probeSignatures(host, device, options);
  if (made.kind !== "filesystem" || made.type !== fsType || made.uuid !== uuid) {
    throw new FilesystemError(
      "FORMAT_FAILED",
      `after mkfs ${device} does not hold ${fsType} with uuid ${uuid}: check the device`,
    );
  }
  await recordFilesystem(call, usedProofs, uuid);
  options.logger?.info("formatted", { volumeId, device, fsType, uuid });
  return { type: fsType, uuid, formatted: true };
}

/** A volume on which a filesystem was once seen is never formatted, and the proof at hand has served. */
async function recordFilesystem(call: FormatCall, usedProofs: readonly string[], uuid: string): Promise<void> {
  const { records, request } = call;
  await records.update(request.volumeId, {
    state: "formatted",
    fsType: request.fsType,
    filesystemUuid: uuid,
    usedProofs: withProof(usedProofs, request),
    zeroReadOffset: undefined,
  });
}

function withProof(usedProofs: readonly string[], { blankProof }: FilesystemRequest): readonly string[] {
  return blankProof === undefined || usedProofs.includes(blankProof.id) ? usedProofs : [...usedProofs, blankProof.id];
}
