import { closeEncrypted } from "../encryption/close-encrypted.ts";
import type { CallOptions } from "../host/call-options.ts";
import { removeMount } from "../mounts/remove-mount.ts";
import { findStaged } from "./staged-device.ts";
import type { VolumeParts } from "./volume-parts.ts";

/** Where a volume is staged. */
export interface UnstageRequest {
  readonly volumeId: string;
  readonly stagingPath: string;
}

/**
 * Unmounts a volume, closes its encryption and lets go of its device (CSI NodeUnstageVolume). It needs neither the device
 * nor the target: what it must know stands in the node's record. Not staged: fine. Throws MountError, FilesystemError,
 * ConnectorError or HostError; every step is bounded, and a repeated call goes on where this one stopped.
 */
export async function unstageVolume<Connection extends object>(
  parts: VolumeParts<Connection>,
  request: UnstageRequest,
  options: CallOptions = {},
): Promise<void> {
  await parts.records.inTurn(request.volumeId, () => unstageInTurn(parts, request, options), options);
}

async function unstageInTurn<Connection extends object>(
  parts: VolumeParts<Connection>,
  { volumeId, stagingPath }: UnstageRequest,
  options: CallOptions,
): Promise<void> {
  const { host, records, connector } = parts;
  await removeMount(host, stagingPath, options);
  const staged = await findStaged(parts, volumeId);
  // Staged elsewhere since: a late call for the place before must not end that.
  if (staged === undefined || staged.record.stagingPath !== stagingPath) return;
  if (staged.record.encryption !== undefined) await closeEncrypted(host, volumeId, options);
  await connector.detach(staged.connection, options);
  // What the record knows about formatting must outlast this: a volume is formatted once.
  await records.update(volumeId, { connection: undefined, stagingPath: undefined });
}
