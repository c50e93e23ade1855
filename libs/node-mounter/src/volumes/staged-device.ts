import { isAbsolute } from "node:path";

import { findMapping, findMismatch } from "../encryption/luks-mapping.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { MountEntry } from "../mounts/mount-info.ts";
import { findMounts } from "../mounts/mount-table.ts";
import type { VolumeRecord } from "../records/volume-records.ts";
import { VolumeError } from "./volume-error.ts";
import type { VolumeParts } from "./volume-parts.ts";

/** A volume that was staged on this node, as its record says. */
export interface StagedVolume<Connection extends object> {
  readonly connection: Connection;
  readonly record: VolumeRecord;
}

/** What a stage left in the record of a volume; undefined when it is not staged here. */
export async function findStaged<Connection extends object>(
  { records }: VolumeParts<Connection>,
  volumeId: string,
): Promise<StagedVolume<Connection> | undefined> {
  const record = await records.find(volumeId);
  // Written by stageVolume with a connection of the same connector.
  return record?.connection === undefined ? undefined : { record, connection: record.connection as Connection };
}

/** The same; throws VolumeError `NOT_FOUND`. */
export async function getStaged<Connection extends object>(
  parts: VolumeParts<Connection>,
  volumeId: string,
): Promise<StagedVolume<Connection>> {
  const staged = await findStaged(parts, volumeId);
  if (staged !== undefined) return staged;
  throw new VolumeError("NOT_FOUND", `volume "${volumeId}" is not staged on this node: stage it first`);
}

/** The device that pods of a staged volume use, decrypted if it is encrypted; undefined while it is not there. */
export async function findVolumeDevice<Connection extends object>(
  { host, connector }: VolumeParts<Connection>,
  { record, connection }: StagedVolume<Connection>,
  options: CallOptions,
): Promise<string | undefined> {
  const attached = await connector.find(connection, options);
  if (attached === undefined || record.encryption === undefined) return attached?.device;
  const [mapping, node] = await Promise.all([findMapping(host, record.volumeId), host.files.lstat(attached.device)]);
  if (mapping === undefined || node === undefined) return undefined;
  // After a lost device the mapping of the one before may still be there, dead.
  const wanted = { deviceNumber: node.deviceNumber, uuid: record.encryption.uuid };
  return (await findMismatch(host, mapping, wanted)) === undefined ? mapping.device : undefined;
}

/** The same; throws VolumeError `NOT_STAGED`. */
export async function getVolumeDevice<Connection extends object>(
  parts: VolumeParts<Connection>,
  staged: StagedVolume<Connection>,
  options: CallOptions,
): Promise<string> {
  const device = await findVolumeDevice(parts, staged, options);
  if (device !== undefined) return device;
  throw new VolumeError(
    "NOT_STAGED",
    `the device of volume "${staged.record.volumeId}" is gone from this node: unstage the volume and stage it again`,
  );
}

/** What is mounted where a volume should be; throws VolumeError `NOT_FOUND`. */
export async function mountOf<Connection extends object>(
  { host }: VolumeParts<Connection>,
  { volumeId, volumePath }: { readonly volumeId: string; readonly volumePath: string },
): Promise<MountEntry> {
  const [mount] = isAbsolute(volumePath) ? await findMounts(host, { target: volumePath }) : [];
  if (mount !== undefined) return mount;
  throw new VolumeError("NOT_FOUND", `volume "${volumeId}" is not at ${volumePath}: stage or publish it there first`);
}
