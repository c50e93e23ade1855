import { CsiError, type CsiErrorCode } from "@org/csi-framework";
import {
  type ConnectorErrorCode,
  type FilesystemErrorCode,
  type HostErrorCode,
  type MountErrorCode,
  NodeMounterError,
  type VolumeErrorCode,
} from "@org/node-mounter";
import {
  isBusy,
  SpdkConnectionError,
  SpdkProtocolError,
  SpdkRpcError,
  SpdkTimeoutError,
  SpdkUnsupportedError,
} from "@org/spdk-rpc";

import { ConfigError } from "./config/document.ts";
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
};

type NodeErrorCode = ConnectorErrorCode | FilesystemErrorCode | HostErrorCode | MountErrorCode | VolumeErrorCode;

/** What the node's library says, and whether the same call can succeed without somebody's help. */
const NODE_STATUS: Readonly<Record<string, CsiErrorCode>> = {
  // The request has to be another one.
  INVALID: "INVALID_ARGUMENT",
  BAD_PATH: "INVALID_ARGUMENT",
  SYMLINK: "INVALID_ARGUMENT",
  CONFLICTING_OPTIONS: "INVALID_ARGUMENT",
  NOT_FOUND: "NOT_FOUND",
  MISMATCH: "ALREADY_EXISTS",
  STAGED_OTHERWISE: "ALREADY_EXISTS",
  // Somebody has to look at the volume before a retry can help.
  WRONG_TYPE: "FAILED_PRECONDITION",
  NOT_BLANK: "FAILED_PRECONDITION",
  FORMATTED_BEFORE: "FAILED_PRECONDITION",
  MUST_NOT_FORMAT: "FAILED_PRECONDITION",
  NEVER_MADE: "FAILED_PRECONDITION",
  NO_PROOF: "FAILED_PRECONDITION",
  NEEDS_REPAIR: "FAILED_PRECONDITION",
  WRONG_DEVICE: "FAILED_PRECONDITION",
  AMBIGUOUS: "FAILED_PRECONDITION",
  // Or at the node.
  BAD_RECORD: "FAILED_PRECONDITION",
  COMMAND_NOT_FOUND: "FAILED_PRECONDITION",
  UNSUPPORTED: "FAILED_PRECONDITION",
  TARGET_BUSY: "FAILED_PRECONDITION",
  NOT_EMPTY: "FAILED_PRECONDITION",
  WRONG_KIND: "FAILED_PRECONDITION",
  IN_USE: "FAILED_PRECONDITION",
  // Or at its Secret, or at what the target knows of the node.
  MISSING_KEY: "FAILED_PRECONDITION",
  WRONG_KEY: "FAILED_PRECONDITION",
  WRONG_MAPPING: "FAILED_PRECONDITION",
  AUTHENTICATION_FAILED: "FAILED_PRECONDITION",
  REFUSED: "FAILED_PRECONDITION",
  // Another call has to come first.
  NOT_STAGED: "FAILED_PRECONDITION",
  NOT_MOUNTED: "FAILED_PRECONDITION",
  SOURCE_MISSING: "FAILED_PRECONDITION",
  PUBLISHED_ELSEWHERE: "FAILED_PRECONDITION",
  TOO_SMALL: "FAILED_PRECONDITION",
  // The target or the network has to come back.
  UNREACHABLE: "UNAVAILABLE",
  NOT_CONNECTED: "UNAVAILABLE",
  CONNECTING: "UNAVAILABLE",
  NO_DEVICE: "UNAVAILABLE",
  PATH_LOST: "UNAVAILABLE",
  DEVICE_GONE: "UNAVAILABLE",
  NOT_A_DEVICE: "UNAVAILABLE",
  PROBE_FAILED: "UNAVAILABLE",
  // The same call goes on where this one stopped.
  UNSTABLE: "ABORTED",
  STILL_READING: "ABORTED",
  BUSY: "ABORTED",
  TIMEOUT: "DEADLINE_EXCEEDED",
  ABORTED: "CANCELLED",
  // It should not happen.
  FORMAT_FAILED: "INTERNAL",
  CHECK_FAILED: "INTERNAL",
  GROW_FAILED: "INTERNAL",
  STATS_FAILED: "INTERNAL",
  ENCRYPTION_FAILED: "INTERNAL",
  COMMAND_FAILED: "INTERNAL",
  FAILED: "INTERNAL",
  SPAWN_FAILED: "INTERNAL",
} satisfies Record<NodeErrorCode, CsiErrorCode>;

/** Translates what the domain and the libraries throw; undefined for what nobody foresaw. */
export function toCsiError(error: unknown): CsiError | undefined {
  // What a request's secrets hold; the config itself is read before anything is served.
  if (error instanceof ConfigError) return new CsiError("INVALID_ARGUMENT", error.message, { cause: error });
  if (error instanceof DriverError) return new CsiError(STATUS[error.code], error.message, { cause: error });
  if (error instanceof SpdkConnectionError || error instanceof SpdkTimeoutError || error instanceof SpdkProtocolError) {
    return new CsiError("UNAVAILABLE", `${error.message}; the call can be repeated`, { cause: error });
  }
  if (isBusy(error)) return new CsiError("ABORTED", `${error.message}; the call can be repeated`, { cause: error });
  if (error instanceof SpdkRpcError)
    return new CsiError("INTERNAL", `SPDK refused: ${error.message}; the target's own log says why`, { cause: error });
  if (error instanceof SpdkUnsupportedError)
    return new CsiError("FAILED_PRECONDITION", error.message, { cause: error });
  if (error instanceof NodeMounterError)
    return new CsiError(NODE_STATUS[error.code] ?? "INTERNAL", error.message, { cause: error });
  return undefined;
}
