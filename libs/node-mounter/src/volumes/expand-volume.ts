import { blockDeviceSize } from "../block-devices/block-device.ts";
import { resizeEncrypted } from "../encryption/resize-encrypted.ts";
import { FILESYSTEM_TYPES } from "../filesystems/filesystem-type.ts";
import { growFilesystem } from "../filesystems/grow-filesystem.ts";
import type { CallOptions } from "../host/call-options.ts";
import { waitFor } from "../host/wait-for.ts";
import { getStaged, getVolumeDevice, mountOf } from "./staged-device.ts";
import { VolumeError } from "./volume-error.ts";
import type { VolumeParts } from "./volume-parts.ts";

/** How long a new size may take from the target to the kernel. */
const ARRIVAL_MS = 5000;

/** A volume whose storage has grown. */
export interface ExpandRequest {
  readonly volumeId: string;
  /** Where it is staged or published. */
  readonly volumePath: string;
  /** What the device must have. Default: whatever it has. */
  readonly requiredBytes?: bigint | undefined;
}

/**
 * Makes the node use the size that the storage has given a volume (CSI NodeExpandVolume), while it is in use; gives the
 * device's size in bytes. Throws VolumeError `NOT_FOUND`, `TOO_SMALL` when the new size does not arrive within 5 s,
 * ConnectorError or FilesystemError.
 */
export async function expandVolume<Connection extends object>(
  parts: VolumeParts<Connection>,
  request: ExpandRequest,
  options: CallOptions = {},
): Promise<bigint> {
  return parts.records.inTurn(request.volumeId, () => expandInTurn(parts, request, options), options);
}

async function expandInTurn<Connection extends object>(
  parts: VolumeParts<Connection>,
  { volumeId, volumePath, requiredBytes = 0n }: ExpandRequest,
  options: CallOptions,
): Promise<bigint> {
  const { host, connector } = parts;
  const staged = await getStaged(parts, volumeId);
  const mount = await mountOf(parts, { volumeId, volumePath });
  const device = await getVolumeDevice(parts, staged, options);
  const attached = (await connector.find(staged.connection, options))?.device ?? device;
  await connector.resize(staged.connection, options);
  const hasArrived = async (): Promise<true | undefined> =>
    (await blockDeviceSize(host, attached)) >= requiredBytes ? true : undefined;
  if ((await waitFor(host, hasArrived, { timeoutMs: ARRIVAL_MS, signal: options.signal })) === undefined) {
    const is = await blockDeviceSize(host, attached);
    throw new VolumeError(
      "TOO_SMALL",
      `device ${attached} of volume "${volumeId}" has ${is} bytes, ${requiredBytes} asked: the storage's expansion has not arrived`,
    );
  }
  if (staged.record.encryption !== undefined) await resizeEncrypted(host, volumeId, options);
  const type = FILESYSTEM_TYPES.find((each) => each === mount.fsType);
  if (type !== undefined && mount.root === "/")
    await growFilesystem(host, { device, type, mountPath: volumePath }, options);
  return blockDeviceSize(host, attached);
}
