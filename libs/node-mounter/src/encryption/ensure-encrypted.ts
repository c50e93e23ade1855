import { randomUUID } from "node:crypto";

import { requireDevice } from "../block-devices/block-device.ts";
import { eraseSignature } from "../filesystems/erase-signature.ts";
import { FilesystemError } from "../filesystems/filesystem-error.ts";
import { filesystemLabel } from "../filesystems/filesystem-label.ts";
import type { Ciphertext, EnsureFilesystemOptions, FormatCall } from "../filesystems/format-call.ts";
import { requireBlank } from "../filesystems/format-permit.ts";
import { formattedBefore, mustNotFormat, notBlank, wrongType } from "../filesystems/format-refusals.ts";
import { describe, probeSignatures } from "../filesystems/probe-device.ts";
import { findResidue } from "../filesystems/residue.ts";
import { mayResume, resumePermit } from "../filesystems/resume-permit.ts";
import { withProof } from "../filesystems/used-proofs.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import type { VolumeRecord, VolumeRecords } from "../records/volume-records.ts";
import { closeEncrypted } from "./close-encrypted.ts";
import type { EncryptionRequest } from "./encryption-request.ts";
import { type LuksHeader, readLuksHeader } from "./luks-header.ts";
import { findMapping, findMismatch, mappingName } from "./luks-mapping.ts";
import { runCryptsetup } from "./run-cryptsetup.ts";

/** What luksFormat itself writes to, by its defaults: its two headers and the place for keys. */
const HEADER_BYTES = 16n * 1024n * 1024n;

/** A container that is open. */
export interface EncryptedDevice {
  /** The device itself that shows it decrypted: for ensureFilesystem and ensureMounted. */
  readonly device: string;
  /** The container's uuid. */
  readonly uuid: string;
  /** Whether this call made the container. */
  readonly formatted: boolean;
  /** For ensureFilesystem: what proves that nothing was written into the container yet. */
  readonly ciphertext: Ciphertext;
}

type EncryptionCall = FormatCall<EncryptionRequest>;

/**
 * Finds the volume's LUKS2 container and opens it, or makes it where that provably destroys nothing, by the rules of
 * ensureFilesystem: blank by proof or by reading, no earlier format in this node's record, every probe certain. A
 * luksFormat of this node that was interrupted is repeated, and nothing else. Open already: verified to show this
 * container on this device; if not, closed and opened anew, or `WRONG_MAPPING` where it is in use. Throws FilesystemError, `WRONG_KEY` among them. Default deadline 300 s for luksFormat, which
 * is never killed, and 120 s to open.
 */
export async function ensureEncrypted(
  host: Host,
  records: VolumeRecords,
  request: EncryptionRequest,
  options: EnsureFilesystemOptions = {},
): Promise<EncryptedDevice> {
  const { volumeId, device, key } = request;
  if (key === "") throw new FilesystemError("WRONG_KEY", `volume "${volumeId}" is encrypted and no key is given`);
  const call: EncryptionCall = { host, records, request, options };
  return records.exclusive(volumeId, async () => {
    const record = await records.find(volumeId);
    const found = await probeSignatures(host, device, options);
    if (found.kind === "unclean") throw notBlank(request, found.what);
    if (found.kind === "filesystem") throw wrongType(request, found.type, "LUKS2");
    if (found.kind === "none") return open(call, await makeContainer(call, record), true);
    if (found.version !== "2") throw wrongType(request, `LUKS${found.version}`, "LUKS2");
    const { uuid } = found;
    const header = await readLuksHeader(host, device, options);
    const known = record?.encryption?.uuid === uuid ? record.encryption : undefined;
    if (known?.state === "formatting" && header.keys === 0 && request.mayFormat) {
      return open(call, await repeatFormat(call, uuid, record, true), true);
    }
    const inside = known?.inside;
    await records.update(volumeId, {
      encryption: { uuid, state: "formatted", ...(inside !== undefined && { inside }) },
    });
    return open(call, { uuid, header }, false);
  });
}

interface Container {
  readonly uuid: string;
  readonly header: LuksHeader;
}

async function makeContainer(call: EncryptionCall, record: VolumeRecord | undefined): Promise<Container> {
  const { request } = call;
  if (!request.mayFormat) throw mustNotFormat(request, "LUKS container");
  if (record?.state !== undefined || record?.encryption?.state === "formatted") throw formattedBefore(request, record);
  if (record?.encryption !== undefined && mayResume(request, record))
    return repeatFormat(call, record.encryption.uuid, record, false);
  await requireBlank(call, record);
  return format(call, randomUUID(), record);
}

async function repeatFormat(
  call: EncryptionCall,
  uuid: string,
  record: VolumeRecord | undefined,
  hasSignature: boolean,
): Promise<Container> {
  const { host, request, options } = call;
  const { volumeId, device } = request;
  // luksFormat fills the place for keys with random bytes; what lies behind it was blank and must be so.
  const residue = await findResidue(host, { device, startBytes: HEADER_BYTES }, options);
  if (residue !== undefined) throw notBlank(request, residue);
  options.logger?.warn("repeating an encryption that was interrupted", { volumeId, device });
  if (hasSignature) await eraseSignature(host, device, "crypto_LUKS", options);
  // cryptsetup asks before it overwrites something only at a terminal.
  const left = await probeSignatures(host, device, options);
  if (left.kind !== "none") throw notBlank(request, describe(left));
  return format(call, uuid, record);
}

async function format(call: EncryptionCall, uuid: string, record: VolumeRecord | undefined): Promise<Container> {
  const { host, records, request, options } = call;
  const { volumeId, device, key, luksFormatOptions = [] } = request;
  const { timeoutMs = 300_000, signal, logger } = options;
  // On disk before luksFormat: nothing else permits to repeat it.
  await records.update(volumeId, {
    encryption: { uuid, state: "formatting" },
    resume: resumePermit(request),
    usedProofs: withProof(record?.usedProofs ?? [], request.blankProof),
    zeroReadOffset: undefined,
  });
  const own = ["--type", "luks2", "--batch-mode", "--uuid", uuid, "--label", filesystemLabel(volumeId)];
  const args = ["luksFormat", ...own, ...luksFormatOptions, "--key-file=-", device];
  await runCryptsetup(host, args, { input: key, timeoutMs, signal, onTimeout: "leave" });
  const made = await probeSignatures(host, device, options);
  if (made.kind !== "encrypted" || made.uuid !== uuid) {
    throw new FilesystemError(
      "FORMAT_FAILED",
      `after luksFormat ${device} does not hold LUKS ${uuid}: check the device`,
    );
  }
  const header = await readLuksHeader(host, device, options);
  await records.update(volumeId, {
    encryption: { uuid, state: "formatted", inside: "blank" },
    resume: undefined,
  });
  logger?.info("encrypted", { volumeId, device, uuid });
  return { uuid, header };
}

async function open(
  { host, request, options }: EncryptionCall,
  { uuid, header: { startBytes } }: Container,
  formatted: boolean,
): Promise<EncryptedDevice> {
  const { volumeId, device, key, allowDiscards = false } = request;
  const { timeoutMs = 120_000, signal } = options;
  const { deviceNumber } = await requireDevice(host, device);
  const ciphertext = { device, startBytes, uuid };
  const known = await findMapping(host, volumeId);
  const mismatch = known === undefined ? undefined : await findMismatch(host, known, { deviceNumber, uuid });
  if (known !== undefined && mismatch === undefined) return { device: known.device, uuid, formatted, ciphertext };
  if (mismatch !== undefined) await closeStale(host, request, mismatch, options);
  // Without the keyring the kernel needs no key to grow it: an expansion may come without secrets.
  const flags = ["--type", "luks2", "--disable-keyring", ...(allowDiscards ? ["--allow-discards"] : [])];
  const args = ["open", ...flags, "--key-file=-", device, mappingName(volumeId)];
  await runCryptsetup(host, args, { input: key, timeoutMs, signal });
  const made = await findMapping(host, volumeId);
  if (made !== undefined) return { device: made.device, uuid, formatted, ciphertext };
  throw new FilesystemError(
    "ENCRYPTION_FAILED",
    `${device} was opened and /dev/mapper/${mappingName(volumeId)} is not there: is /dev the host's own?`,
  );
}

/** After a lost session the old mapping goes on to show a device that is dead. It bears our name; unused, it is closed. */
async function closeStale(
  host: Host,
  { volumeId, device }: EncryptionRequest,
  mismatch: string,
  options: CallOptions,
): Promise<void> {
  try {
    await closeEncrypted(host, volumeId, options);
  } catch (cause) {
    if (!(cause instanceof FilesystemError) || cause.code !== "IN_USE") throw cause;
    throw new FilesystemError(
      "WRONG_MAPPING",
      `${mappingName(volumeId)} of volume "${volumeId}" shows ${mismatch}, not what is on ${device}, and is in use: unmount it and stage the volume again`,
      { cause },
    );
  }
}
