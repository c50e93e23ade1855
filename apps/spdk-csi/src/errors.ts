import { CsiError, type CsiErrorCode } from "@org/csi-framework";
import { ConnectorError, FilesystemError, HostError, MountError } from "@org/node-mounter";
import { SpdkConnectionError, SpdkProtocolError, SpdkRpcError, SpdkTimeoutError } from "@org/spdk-rpc";

import { DriverError, type DriverErrorCode } from "./driver-error.ts";

/** The one place where the driver's errors meet gRPC's statuses (CSI's error scheme, per RPC). */
const STATUS: Readonly<Record<DriverErrorCode, CsiErrorCode>> = {
  INVALID: "INVALID_ARGUMENT",
  VOLUME_NOT_FOUND: "NOT_FOUND",
  NODE_NOT_FOUND: "NOT_FOUND",
  SNAPSHOT_NOT_FOUND: "NOT_FOUND",
  ALREADY_EXISTS: "ALREADY_EXISTS",
  CONFLICT: "ABORTED",
  OUT_OF_RANGE: "OUT_OF_RANGE",
  NO_SPACE: "RESOURCE_EXHAUSTED",
  IN_USE: "FAILED_PRECONDITION",
  NODE_FULL: "RESOURCE_EXHAUSTED",
  NOT_READY: "FAILED_PRECONDITION",
  TARGET_UNAVAILABLE: "UNAVAILABLE",
  TARGET_MISBEHAVED: "INTERNAL",
  BAD_TOKEN: "ABORTED",
};

/** Translates what the domain and the libraries throw; undefined for what nobody foresaw. */
export function toCsiError(error: unknown): CsiError | undefined {
  if (error instanceof DriverError) return new CsiError(STATUS[error.code], error.message, { cause: error });
  if (error instanceof SpdkConnectionError || error instanceof SpdkTimeoutError || error instanceof SpdkProtocolError) {
    return new CsiError("UNAVAILABLE", `${error.message}; the call can be repeated`, { cause: error });
  }
  if (error instanceof SpdkRpcError)
    return new CsiError("INTERNAL", `SPDK refused: ${error.message}`, { cause: error });
  if (error instanceof MountError || error instanceof FilesystemError || error instanceof ConnectorError) {
    return new CsiError(NODE_STATUS.has(error.code) ? "FAILED_PRECONDITION" : "INTERNAL", error.message, {
      cause: error,
    });
  }
  if (error instanceof HostError) return new CsiError("INTERNAL", error.message, { cause: error });
  return undefined;
}

/** Refusals of the node's libraries that a person or another call must resolve before a retry can help. */
const NODE_STATUS: ReadonlySet<string> = new Set(["PLACEHOLDER"]);
