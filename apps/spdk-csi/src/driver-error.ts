/** What can go wrong in the driver's own domain. The table below says which gRPC status each becomes. */
export type DriverErrorCode =
  | "INVALID"
  | "VOLUME_NOT_FOUND"
  | "NODE_NOT_FOUND"
  | "SNAPSHOT_NOT_FOUND"
  | "ALREADY_EXISTS"
  | "CONFLICT"
  | "OUT_OF_RANGE"
  | "NO_SPACE"
  | "IN_USE"
  | "NODE_FULL"
  | "NOT_READY"
  | "TARGET_UNAVAILABLE"
  | "TARGET_MISBEHAVED";

/** An error of the driver: the message names the object and says what to do. */
export class DriverError extends Error {
  override readonly name = "DriverError";
  readonly code: DriverErrorCode;

  constructor(code: DriverErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
