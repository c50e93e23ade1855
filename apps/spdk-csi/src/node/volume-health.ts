import {
  type VolumeHealth_VolumeHealthEntry as HealthEntry,
  VolumeHealthErrorType as Status,
} from "@org/csi-framework";
import {
  type CallOptions,
  diagnoseMount,
  diagnoseVolume,
  type VolumeDefect,
  type VolumeParts,
} from "@org/node-mounter";

import { DriverError } from "../driver-error.ts";

/** What is asked about: the paths are where the volume is, or was to be. */
export interface VolumeHealthRequest {
  readonly volumeId: string;
  readonly publishPath: string;
  readonly stagingPath: string;
}

/** How long each question to the kernel may take: a health check that hangs is none. */
const TIMEOUT_MS = 5000;

/** What each defect means to CSI. A message may have 128 bytes; the log has all of it. */
export const MEANING: Readonly<Record<VolumeDefect["code"], HealthEntry>> = {
  NOT_CONNECTED: {
    status: Status.INACCESSIBLE,
    reason: "NotConnected",
    message: "This node has no session with the target: the volume has to be staged again.",
  },
  CONNECTING: {
    status: Status.INACCESSIBLE,
    reason: "Reconnecting",
    message: "The session with the target is lost and I/O waits: it comes back by itself with the target.",
  },
  NO_DEVICE: {
    status: Status.INACCESSIBLE,
    reason: "NoNamespace",
    message: "The target shows no namespace of this volume: its export has to be made again.",
  },
  AMBIGUOUS: {
    status: Status.INACCESSIBLE,
    reason: "AmbiguousDevice",
    message: "More than one device could be the volume, so none is used: unstage it and stage it again.",
  },
  WRONG_DEVICE: {
    status: Status.INACCESSIBLE,
    reason: "WrongDevice",
    message: "The target shows another volume under this name, of which nothing is used: see its export.",
  },
  PATH_LOST: {
    status: Status.DEGRADED,
    reason: "PathLost",
    message: "The volume works, and one of its paths to the target does not: see the network and the target.",
  },
  DEVICE_GONE: {
    status: Status.INACCESSIBLE,
    reason: "DeviceGone",
    message: "The device below the mount is gone: end the pods that use the volume, so that it is staged again.",
  },
  NOT_MOUNTED: {
    status: Status.INACCESSIBLE,
    reason: "NotMounted",
    message: "Nothing is mounted where the volume should be.",
  },
  NOT_ANSWERING: {
    status: Status.INACCESSIBLE,
    reason: "NotAnswering",
    message: "The filesystem does not answer in time: see the session with the target.",
  },
  CORRUPTED: {
    status: Status.INACCESSIBLE,
    reason: "FilesystemFailed",
    message: "The filesystem is shut down or answers with errors: end its pods, so that it is staged again.",
  },
  READ_ONLY: {
    status: Status.DEGRADED,
    reason: "FilesystemReadOnly",
    message: "The filesystem has made itself read-only after an error: end its pods, so that it is checked.",
  },
  NOT_FOUND: { status: Status.INACCESSIBLE, reason: "NotStaged", message: "The volume is not staged on this node." },
  UNREACHABLE: { status: Status.INACCESSIBLE, reason: "Unreachable", message: "No portal of the target answers." },
  REFUSED: { status: Status.INACCESSIBLE, reason: "Refused", message: "The target does not let this node in." },
  AUTHENTICATION_FAILED: {
    status: Status.INACCESSIBLE,
    reason: "AuthenticationFailed",
    message: "The target and this node do not accept each other's keys.",
  },
  INVALID: { status: Status.INACCESSIBLE, reason: "InvalidConnection", message: "The connection data are wrong." },
  UNSUPPORTED: {
    status: Status.INACCESSIBLE,
    reason: "Unsupported",
    message: "The kernel or the host lacks something.",
  },
  IN_USE: { status: Status.DEGRADED, reason: "DeviceInUse", message: "Something else on this node uses the device." },
  TIMEOUT: { status: Status.INACCESSIBLE, reason: "KernelTimeout", message: "The kernel did not answer in time." },
  FAILED: { status: Status.INACCESSIBLE, reason: "AttachFailed", message: "The device cannot be used as it is." },
};

/**
 * All that is wrong with a volume on this node, also with one whose stage did not come to its end; empty when nothing is
 * known to be. Changes nothing. Throws VOLUME_NOT_FOUND for a volume that was not brought to this node, or was taken away.
 */
export async function volumeHealth<Connection extends object>(
  parts: VolumeParts<Connection>,
  request: VolumeHealthRequest,
  { signal }: CallOptions,
): Promise<HealthEntry[]> {
  const { volumeId } = request;
  const record = await parts.records.find(volumeId);
  if (record?.connection === undefined) {
    throw new DriverError("VOLUME_NOT_FOUND", `volume "${volumeId}" is not on this node: stage it first`);
  }
  const limits = { timeoutMs: TIMEOUT_MS, signal };
  // A raw block volume has nothing at its staging path, and neither has a filesystem before it is made.
  const staging = record.state === "formatted" ? request.stagingPath || (record.stagingPath ?? "") : "";
  const paths = [staging, request.publishPath].filter((path) => path !== "");
  const [session, ...mounts] = await Promise.all([
    diagnoseVolume(parts, { volumeId }, limits),
    ...paths.map(async (path) => (await diagnoseMount(parts.host, path, limits)) ?? []),
  ]);
  const defects: readonly VolumeDefect[] = [...session, ...mounts.flat()];
  if (defects.length > 0) parts.logger?.info("volume is not well", { volumeId, defects });
  return [...new Set(defects.map(({ code }) => MEANING[code]))];
}
