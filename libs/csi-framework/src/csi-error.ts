/** Every status an RPC may end with, by the names gRPC gives them (OK aside). */
export const CSI_ERROR_CODES = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The name of a gRPC status other than OK. */
export type CsiErrorCode = (typeof CSI_ERROR_CODES)[number];

/** What is behind an error: for the log, never for the caller. */
export interface CsiErrorOptions {
  readonly cause?: unknown;
}

/**
 * An error that the caller is meant to see: `code` becomes the gRPC status and `message` its text. CSI's "Error Scheme"
 * and the table under each RPC tell which code means what; the static methods make the ones that they name.
 */
export class CsiError extends Error {
  override readonly name = "CsiError";
  readonly code: CsiErrorCode;

  constructor(code: CsiErrorCode, message: string, options?: CsiErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** INVALID_ARGUMENT: a field is missing or wrong; the same request never succeeds. */
  static invalidArgument(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("INVALID_ARGUMENT", message, options);
  }

  /** NOT_FOUND: the volume, snapshot or node does not exist. */
  static notFound(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("NOT_FOUND", message, options);
  }

  /** ALREADY_EXISTS: there is something of that name that is not compatible with the request. */
  static alreadyExists(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("ALREADY_EXISTS", message, options);
  }

  /** FAILED_PRECONDITION: something else has to happen first, such as unpublishing the volume from another node. */
  static failedPrecondition(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("FAILED_PRECONDITION", message, options);
  }

  /** ABORTED: another operation on the same object is under way, or a token is of no use; the caller tries again. */
  static aborted(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("ABORTED", message, options);
  }

  /** OUT_OF_RANGE: a capacity cannot be had, or a token is not one of this plugin. */
  static outOfRange(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("OUT_OF_RANGE", message, options);
  }

  /** RESOURCE_EXHAUSTED: there is no room, or a limit is reached. */
  static resourceExhausted(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("RESOURCE_EXHAUSTED", message, options);
  }

  /** PERMISSION_DENIED: the secrets do not allow it. */
  static permissionDenied(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("PERMISSION_DENIED", message, options);
  }

  /** UNAUTHENTICATED: the secrets are missing or wrong. */
  static unauthenticated(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("UNAUTHENTICATED", message, options);
  }

  /** UNAVAILABLE: the storage cannot be reached now; the caller tries again. */
  static unavailable(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("UNAVAILABLE", message, options);
  }

  /** DEADLINE_EXCEEDED: the time for the call is over; the work may go on. */
  static deadlineExceeded(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("DEADLINE_EXCEEDED", message, options);
  }

  /** CANCELLED: the caller has cancelled the call. */
  static cancelled(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("CANCELLED", message, options);
  }

  /** UNIMPLEMENTED: the plugin does not offer it. */
  static unimplemented(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("UNIMPLEMENTED", message, options);
  }

  /** INTERNAL: something is wrong that the caller can do nothing about. */
  static internal(message: string, options?: CsiErrorOptions): CsiError {
    return new CsiError("INTERNAL", message, options);
  }
}
