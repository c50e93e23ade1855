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

/**
 * An error that the caller is meant to see: `code` becomes the gRPC status and `message` its text.
 * `cause` goes to the log only. CSI's "Error Scheme" and the table under each RPC tell which code means what.
 */
export class CsiError extends Error {
  override readonly name = "CsiError";
  readonly code: CsiErrorCode;

  constructor(code: CsiErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
