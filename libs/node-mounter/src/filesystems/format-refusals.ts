import type { VolumeRecord } from "../records/volume-records.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { FilesystemRequest } from "./format-call.ts";

/** The device holds something that is no filesystem. */
export function notBlank({ volumeId, device }: FilesystemRequest, what: string): FilesystemError {
  return new FilesystemError(
    "NOT_BLANK",
    `volume "${volumeId}" (${device}) holds ${what}: it is not formatted; save what is on it, or use it as a block volume`,
  );
}

/** The device should hold a copy and does not. */
export function mustNotFormat({ volumeId, device, fsType }: FilesystemRequest): FilesystemError {
  return new FilesystemError(
    "MUST_NOT_FORMAT",
    `volume "${volumeId}" (${device}) is a copy of other data, yet no ${fsType} is found on it: it is not formatted; check its source`,
  );
}

/** The device should hold the filesystem that this node knows. */
export function formattedBefore(
  { volumeId, device }: FilesystemRequest,
  { fsType, filesystemUuid }: VolumeRecord,
): FilesystemError {
  return new FilesystemError(
    "FORMATTED_BEFORE",
    `volume "${volumeId}" (${device}) had ${fsType ?? "a filesystem"} ${filesystemUuid ?? ""}, which is not found now: it is damaged or the wrong device is attached, and is not formatted anew`,
  );
}
