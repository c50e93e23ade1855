import type { CallOptions } from "../host/call-options.ts";
import type { ConnectorError } from "./connector-error.ts";

/** How a device is attached. */
export interface AttachOptions extends CallOptions {
  /**
   * Keys and passwords that the target asks for, named by each connector. They reach neither a record, a log, an error
   * nor an argument list. Default none.
   */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}

/** The block device of an attached volume. */
export interface AttachedDevice {
  /** The device node itself, such as `/dev/nvme0n1`. It may have another name after the next attach. */
  readonly device: string;
}

/**
 * Brings a volume's block device to this node. All of it idempotent; calls for one volume wait for each other.
 * `Connection` is plain JSON without secrets: it is kept in a record. Every method throws ConnectorError, or HostError
 * where a command could not be run to its end (`ABORTED` at the caller's abort).
 */
export interface Connector<Connection> {
  /** Names the way: "nvme", "iscsi", "loop". */
  readonly kind: string;
  /** What a connection leads to, whatever else it says: connections of one identity are one session and one device. */
  identity(connection: Connection): string;
  /** Makes the device appear, or finds it, and repairs a session that is broken and not in use. */
  attach(connection: Connection, options?: AttachOptions): Promise<AttachedDevice>;
  /** The device, if it is attached; `WRONG_DEVICE` or `AMBIGUOUS` when what is there is not certainly the volume. */
  find(connection: Connection, options?: CallOptions): Promise<AttachedDevice | undefined>;
  /** What is wrong with the session or device now; undefined when nothing is. Changes nothing. */
  diagnose(connection: Connection, options?: CallOptions): Promise<ConnectorError | undefined>;
  /** Makes the kernel see the device's new size. */
  resize(connection: Connection, options?: CallOptions): Promise<void>;
  /** Lets go of the device; not attached is fine. Unmount first: refuses with `IN_USE`. Needs no living target. */
  detach(connection: Connection, options?: CallOptions): Promise<void>;
}
