import type { CallOptions } from "../host/call-options.ts";

/** Brings a volume's block device to this node. All of it idempotent. `Connection` is plain JSON: it is kept in a record. */
export interface Connector<Connection> {
  /** Names the way: "nvme-tcp", "iscsi", "loop". */
  readonly kind: string;
  /** Makes the device appear, or finds it; throws ConnectorError. */
  attach(connection: Connection, options?: CallOptions): Promise<{ readonly device: string }>;
  /** The device, if it is attached. */
  find(connection: Connection, options?: CallOptions): Promise<{ readonly device: string } | undefined>;
  /** Makes the kernel see the device's new size. */
  resize(connection: Connection, options?: CallOptions): Promise<void>;
  /** Lets go of the device; not attached is fine. Unmount first: refuses with `IN_USE`. */
  detach(connection: Connection, options?: CallOptions): Promise<void>;
}

/** Why a device could not be attached or let go of. */
export const CONNECTOR_ERROR_CODES = [
  /** What the connection names does not exist. */
  "NOT_FOUND",
  /** The device is mounted. */
  "IN_USE",
  /** Attaching, resizing or detaching failed. */
  "FAILED",
] as const;

/** One of {@link CONNECTOR_ERROR_CODES}. */
export type ConnectorErrorCode = (typeof CONNECTOR_ERROR_CODES)[number];

/** A device that could not be attached, resized or let go of. */
export class ConnectorError extends Error {
  override readonly name = "ConnectorError";
  readonly code: ConnectorErrorCode;

  constructor(code: ConnectorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
