import type { VolumeRecord } from "../records/volume-records.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { BlankRequest } from "./format-call.ts";

/** The device holds something that is no filesystem. */
export function notBlank({ volumeId, device }: BlankRequest, what: string): FilesystemError {
  return new FilesystemError(
    "NOT_BLANK",
    `volume "${volumeId}" (${device}) holds ${what}: it is not formatted; save what is on it, or use it as a block volume`,
  );
}

/** The device should hold a copy and does not. */
export function mustNotFormat({ volumeId, device }: BlankRequest, wanted: string): FilesystemError {
  return new FilesystemError(
    "MUST_NOT_FORMAT",
    `volume "${volumeId}" (${device}) is a copy of other data, yet no ${wanted} is found on it: it is not formatted; check its source`,
  );
}

/** The device should hold what this node knows of it: a filesystem, or the container around one. */
export function formattedBefore(request: BlankRequest, record: VolumeRecord): FilesystemError {
  const { volumeId, device, ciphertext } = request;
  const { fsType, filesystemUuid, encryption } = record;
  const isContainer = encryption !== undefined && ciphertext === undefined;
  const had = isContainer ? `LUKS ${encryption.uuid}` : `${fsType ?? "a filesystem"} ${filesystemUuid ?? ""}`;
  return new FilesystemError(
    "FORMATTED_BEFORE",
    `volume "${volumeId}" (${device}) had ${had}, which is not found now: it is damaged or the wrong device is attached, and is not formatted anew`,
  );
}

/** The device holds something else than what is asked for. */
export function wrongType({ volumeId, device }: BlankRequest, found: string, wanted: string): FilesystemError {
  return new FilesystemError(
    "WRONG_TYPE",
    `volume "${volumeId}" (${device}) holds ${found}, ${wanted} is asked: it is not formatted anew, ask for ${found}`,
  );
}
