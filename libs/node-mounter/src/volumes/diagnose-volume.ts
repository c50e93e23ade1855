import type { ConnectorErrorCode } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import { diagnoseMount, type MountDefectCode } from "../mounts/diagnose-mount.ts";
import { findStaged } from "./staged-device.ts";
import type { VolumeParts } from "./volume-parts.ts";

/** What is wrong with a volume on this node. */
export interface VolumeDefect {
  readonly code: "NOT_FOUND" | ConnectorErrorCode | MountDefectCode;
  /** What is so, and what to do about it. */
  readonly what: string;
}

/**
 * Everything that is wrong with a volume that should be on this node: its session, its device and the mount at
 * `volumePath` (none for a block volume's staging path). Changes nothing; bounded by `timeoutMs`, default 5 s a question.
 */
export async function diagnoseVolume<Connection extends object>(
  parts: VolumeParts<Connection>,
  { volumeId, volumePath }: { readonly volumeId: string; readonly volumePath?: string | undefined },
  options: CallOptions = {},
): Promise<VolumeDefect[]> {
  const staged = await findStaged(parts, volumeId);
  if (staged === undefined)
    return [{ code: "NOT_FOUND", what: `volume "${volumeId}" is not staged on this node: stage it first` }];
  const session = await parts.connector.diagnose(staged.connection, options);
  const mount = volumePath === undefined ? undefined : await diagnoseMount(parts.host, volumePath, options);
  return [
    ...(session === undefined ? [] : [{ code: session.code, what: session.message }]),
    ...(mount === undefined ? [] : [mount]),
  ];
}
