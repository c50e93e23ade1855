import { CsiError, type CsiErrorCode } from "@org/csi-framework";
import { NodeMounterError } from "@org/node-mounter";
import {
  SpdkConnectionError,
  SpdkProtocolError,
  SpdkRpcError,
  SpdkTimeoutError,
  SpdkUnsupportedError,
} from "@org/spdk-rpc";

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

/** Refusals of the node's libraries; every other code of theirs is INTERNAL: something that should not happen. */
const NODE_STATUS: Readonly<Record<string, CsiErrorCode>> = {
  // Somebody has to look at the volume before a retry can help.
  WRONG_TYPE: "FAILED_PRECONDITION",
  NOT_BLANK: "FAILED_PRECONDITION",
  FORMATTED_BEFORE: "FAILED_PRECONDITION",
  MUST_NOT_FORMAT: "FAILED_PRECONDITION",
  NO_PROOF: "FAILED_PRECONDITION",
  NEEDS_REPAIR: "FAILED_PRECONDITION",
  TARGET_BUSY: "FAILED_PRECONDITION",
  NOT_EMPTY: "FAILED_PRECONDITION",
  IN_USE: "FAILED_PRECONDITION",
  SYMLINK: "INVALID_ARGUMENT",
  BAD_PATH: "INVALID_ARGUMENT",
  MISMATCH: "ALREADY_EXISTS",
  NOT_FOUND: "NOT_FOUND",
  NOT_STAGED: "FAILED_PRECONDITION",
  STAGED_OTHERWISE: "ALREADY_EXISTS",
  PUBLISHED_ELSEWHERE: "FAILED_PRECONDITION",
  TOO_SMALL: "FAILED_PRECONDITION",
  MISSING_KEY: "FAILED_PRECONDITION",
  WRONG_KEY: "FAILED_PRECONDITION",
  WRONG_MAPPING: "FAILED_PRECONDITION",
  NEVER_MADE: "FAILED_PRECONDITION",
  CONFLICTING_OPTIONS: "INVALID_ARGUMENT",
  INVALID: "INVALID_ARGUMENT",
  UNSUPPORTED: "FAILED_PRECONDITION",
  REFUSED: "FAILED_PRECONDITION",
  AUTHENTICATION_FAILED: "FAILED_PRECONDITION",
  WRONG_DEVICE: "FAILED_PRECONDITION",
  AMBIGUOUS: "FAILED_PRECONDITION",
  // The target or the network has to come back.
  UNREACHABLE: "UNAVAILABLE",
  NOT_CONNECTED: "UNAVAILABLE",
  CONNECTING: "UNAVAILABLE",
  NO_DEVICE: "UNAVAILABLE",
  DEVICE_GONE: "UNAVAILABLE",
  UNSTABLE: "ABORTED",
  // The same call goes on where this one stopped.
  STILL_READING: "ABORTED",
  BUSY: "ABORTED",
  TIMEOUT: "DEADLINE_EXCEEDED",
  ABORTED: "CANCELLED",
};

/** Translates what the domain and the libraries throw; undefined for what nobody foresaw. */
export function toCsiError(error: unknown): CsiError | undefined {
  if (error instanceof DriverError) return new CsiError(STATUS[error.code], error.message, { cause: error });
  if (error instanceof SpdkConnectionError || error instanceof SpdkTimeoutError || error instanceof SpdkProtocolError) {
    return new CsiError("UNAVAILABLE", `${error.message}; the call can be repeated`, { cause: error });
  }
  if (error instanceof SpdkRpcError)
    return new CsiError("INTERNAL", `SPDK refused: ${error.message}; the target's own log says why`, { cause: error });
  if (error instanceof SpdkUnsupportedError)
    return new CsiError("FAILED_PRECONDITION", error.message, { cause: error });
  if (error instanceof NodeMounterError)
    return new CsiError(NODE_STATUS[error.code] ?? "INTERNAL", error.message, { cause: error });
  return undefined;
}
