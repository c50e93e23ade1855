import { closeEncrypted } from "../encryption/close-encrypted.ts";
import type { EncryptionRequest } from "../encryption/encryption-request.ts";
import { type EncryptedDevice, ensureEncrypted } from "../encryption/ensure-encrypted.ts";
import { checkFilesystem } from "../filesystems/check-filesystem.ts";
import { ensureFilesystem } from "../filesystems/ensure-filesystem.ts";
import { growFilesystem } from "../filesystems/grow-filesystem.ts";
import { withProof } from "../filesystems/used-proofs.ts";
import type { CallOptions } from "../host/call-options.ts";
import { ensureMounted } from "../mounts/ensure-mounted.ts";
import { canonicalPath, findMounts, isMountPoint } from "../mounts/mount-table.ts";
import { removeDeadMounts } from "../mounts/remove-mount.ts";
import { asWritten, type VolumeRecord } from "../records/volume-records.ts";
import { VolumeError } from "./volume-error.ts";
import type { VolumeAccess, VolumeParts } from "./volume-parts.ts";

/** A volume to be brought to this node and made ready for its pods. */
export interface StageRequest<Connection extends object> {
  readonly volumeId: string;
  /** Plain JSON, without secrets: the node's record keeps it until the volume is unstaged. */
  readonly connection: Connection;
  /** What the connector needs beside the connection; see there. Default none. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Where the filesystem is mounted; nothing is for a block volume. */
  readonly stagingPath: string;
  readonly access: VolumeAccess;
  /** False for clones and restores: they hold data, and what cannot be read there is damaged, not blank. */
  readonly mayFormat: boolean;
  /** The storage's proof that the volume was blank a moment ago. It serves once. Default none: the device is read. */
  readonly blankProof?: { readonly id: string } | undefined;
  /** Opens, or makes, a LUKS2 container around the volume. Default: not encrypted. */
  readonly encryption?: Pick<EncryptionRequest, "key" | "luksFormatOptions"> | undefined;
}

/**
 * Attaches a volume, opens its encryption, finds or makes its filesystem, checks it, mounts it and grows it to its device
 * (CSI NodeStageVolume). What unstage needs is on the node's disk before anything is connected. Every step that was done
 * by an earlier call, also one that was killed, is found and kept. Throws VolumeError `STAGED_OTHERWISE` or `MISSING_KEY`,
 * and what the steps throw: ConnectorError, FilesystemError, MountError, HostError. `timeoutMs` counts for each command.
 */
export async function stageVolume<Connection extends object>(
  parts: VolumeParts<Connection>,
  request: StageRequest<Connection>,
  options: CallOptions = {},
): Promise<void> {
  await parts.records.inTurn(request.volumeId, () => stageInTurn(parts, request, options), options);
}

/** The same within a turn of the volume. */
export async function stageInTurn<Connection extends object>(
  parts: VolumeParts<Connection>,
  request: StageRequest<Connection>,
  options: CallOptions,
): Promise<void> {
  const { host, records, connector } = parts;
  const { volumeId, connection, secrets, stagingPath, access } = request;
  const record = await records.find(volumeId);
  if (record?.encryption !== undefined && request.encryption === undefined) {
    throw new VolumeError("MISSING_KEY", `volume "${volumeId}" is encrypted: give the key with which it was made`);
  }
  if (record !== undefined) await letGoOfEarlier(parts, record, request, options);
  await records.update(volumeId, { connection: Object.fromEntries(Object.entries(connection)), stagingPath });
  const attached = await connector.attach(connection, { ...options, secrets });
  const encrypted = await openEncrypted(parts, request, attached.device, options);
  const device = encrypted?.device ?? attached.device;
  if (access.kind === "filesystem") return mountFilesystem(parts, { request, access, device, encrypted }, options);
  if ((await findMounts(host, { target: stagingPath })).length > 0) {
    throw new VolumeError(
      "STAGED_OTHERWISE",
      `volume "${volumeId}" is staged at ${stagingPath} with a filesystem: unstage it before it becomes a block device`,
    );
  }
  await recordAsWritten(parts, request);
}

/** A pod may write anything to a block volume: what was known of its blankness, or permitted to repeat, has served. */
async function recordAsWritten<Connection extends object>(
  { records }: VolumeParts<Connection>,
  { volumeId, blankProof }: StageRequest<Connection>,
): Promise<void> {
  const record = await records.find(volumeId);
  await records.update(volumeId, {
    ...asWritten(record),
    usedProofs: withProof(record?.usedProofs ?? [], blankProof),
  });
}

/** What an earlier stage left that this one does not replace: another session, or a mount elsewhere. */
async function letGoOfEarlier<Connection extends object>(
  { host, connector }: VolumeParts<Connection>,
  record: VolumeRecord,
  { volumeId, connection, stagingPath }: StageRequest<Connection>,
  options: CallOptions,
): Promise<void> {
  const { stagingPath: earlierPath } = record;
  if (earlierPath !== undefined && earlierPath !== stagingPath && (await isMountPoint(host, earlierPath))) {
    throw new VolumeError(
      "STAGED_OTHERWISE",
      `volume "${volumeId}" is staged at ${earlierPath}: unstage it there before it is staged at ${stagingPath}`,
    );
  }
  const earlier = record.connection as Connection | undefined;
  if (earlier === undefined || connector.identity(earlier) === connector.identity(connection)) return;
  if (record.encryption !== undefined) await closeEncrypted(host, volumeId, options);
  await connector.detach(earlier, options);
}

async function openEncrypted<Connection extends object>(
  { host, records, logger }: VolumeParts<Connection>,
  { volumeId, mayFormat, blankProof, encryption, access, stagingPath }: StageRequest<Connection>,
  device: string,
  options: CallOptions,
): Promise<EncryptedDevice | undefined> {
  if (encryption === undefined) return undefined;
  // A dead mount would keep the mapping of a lost device in use.
  await removeDeadMounts(host, await canonicalPath(host, stagingPath), options);
  const allowDiscards = access.kind === "filesystem" && access.mountOptions?.includes("discard") === true;
  const request = { ...encryption, device, volumeId, mayFormat, blankProof, allowDiscards };
  return ensureEncrypted(host, records, request, { ...options, logger });
}

interface Ready<Connection extends object> {
  readonly request: StageRequest<Connection>;
  readonly access: Extract<VolumeAccess, { kind: "filesystem" }>;
  readonly device: string;
  readonly encrypted: EncryptedDevice | undefined;
}

async function mountFilesystem<Connection extends object>(
  { host, records, logger }: VolumeParts<Connection>,
  { request, access, device, encrypted }: Ready<Connection>,
  options: CallOptions,
): Promise<void> {
  const { volumeId, stagingPath, mayFormat, blankProof } = request;
  const { fsType, mountOptions } = access;
  const wanted = { device, volumeId, fsType, mayFormat, blankProof, ciphertext: encrypted?.ciphertext };
  const { type, needsCheck, growsAtBytes } = await ensureFilesystem(host, records, wanted, { ...options, logger });
  // What is mounted is in use: a check of it would find errors that are none.
  if (needsCheck && (await findMounts(host, { device })).length === 0) {
    await checkFilesystem(host, device, type, options);
  }
  await ensureMounted(
    host,
    { source: device, target: stagingPath, fsType: type, options: mountOptions ?? [] },
    options,
  );
  // A restore may be larger than the filesystem that it holds.
  await growFilesystem(host, { device, type, mountPath: stagingPath, growsAtBytes }, options);
}
