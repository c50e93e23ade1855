import { ConnectorError, FilesystemError, MountError, VolumeError } from "@org/node-mounter";

import { DriverError } from "../driver-error.ts";
import { missingSecrets, type SecretPurpose } from "./node-secrets.ts";
import type { StageCall } from "./stage-call.ts";

/** What an error of the library means for a volume of this driver; one that says all by itself stays as it is. */
export function explainStageError(error: unknown, call: StageCall, purpose: SecretPurpose): unknown {
  const { access, stage, mayHoldData } = call;
  const { volumeId, secrets = {} } = stage;
  if (error instanceof ConnectorError && error.code === "AUTHENTICATION_FAILED" && secrets["dhchapKey"] === undefined) {
    return missingSecrets(volumeId, ["dhchapKey"], purpose, error);
  }
  if (error instanceof ConnectorError && error.code === "INVALID") {
    // The library's name of the secret is not the one that the Secret has.
    const what = error.message.replaceAll("dhchapControllerKey", "dhchapCtrlrKey");
    return new ConnectorError("INVALID", what, { cause: error.cause });
  }
  if (error instanceof VolumeError && error.code === "MISSING_KEY") {
    return new DriverError(
      "NOT_READY",
      `volume "${volumeId}" was encrypted on this node, and its volume_context does not say so: give it encryption "luks2"`,
      { cause: error },
    );
  }
  if (error instanceof FilesystemError && error.code === "MUST_NOT_FORMAT" && access.readonly && !mayHoldData) {
    return new DriverError(
      "NOT_READY",
      `volume "${volumeId}" is to be read only, and no filesystem is found on it: if it is new, use it once with an access mode that writes, or make it from a snapshot`,
      { cause: error },
    );
  }
  return access.readonly && access.sharing === "multi-node" && isRefusedMount(error)
    ? uncleanForReaders(volumeId, error)
    : error;
}

/** How mount and e2fsck tell that they would have to write to a device that nobody may write to. */
function isRefusedMount(error: unknown): error is MountError | FilesystemError {
  return (
    (error instanceof MountError && error.code === "COMMAND_FAILED") ||
    (error instanceof FilesystemError && error.code === "CHECK_FAILED")
  );
}

function uncleanForReaders(volumeId: string, cause: Error): DriverError {
  return new DriverError(
    "NOT_READY",
    `volume "${volumeId}" cannot be read on several nodes: ${cause.message}. If it was not unmounted cleanly, as a snapshot of a volume in use is not, its journal has to be replayed, which only one node may do: use it once on a single node (ReadWriteOnce), or take the snapshot while no pod uses the volume`,
    { cause },
  );
}
