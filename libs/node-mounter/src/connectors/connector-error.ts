import { NodeMounterError } from "../host/node-mounter-error.ts";

/** Why a device could not be attached, used or let go of. */
export const CONNECTOR_ERROR_CODES = [
  /** The connection or a secret is wrong in itself. */
  "INVALID",
  /** The kernel or the host lacks something; the message names the command or package that brings it. */
  "UNSUPPORTED",
  /** What the connection names does not exist. */
  "NOT_FOUND",
  /** No portal of the target answers. */
  "UNREACHABLE",
  /** The target answers and does not let this host in. */
  "REFUSED",
  /** The key or password is missing or wrong. */
  "AUTHENTICATION_FAILED",
  /** There is no session (NVMe: no controller) to the target. */
  "NOT_CONNECTED",
  /** The session is lost and the kernel tries to get it back. */
  "CONNECTING",
  /** The session is there, the volume (namespace, LUN) is not. */
  "NO_DEVICE",
  /** More than one device could be the volume. */
  "AMBIGUOUS",
  /** The device is another volume's: its identity is not the one asked for. */
  "WRONG_DEVICE",
  /** The device works, one of its paths does not. */
  "PATH_LOST",
  /** The device is mounted or held by another device. */
  "IN_USE",
  /** The kernel did not answer in time. */
  "TIMEOUT",
  /** Attaching, resizing or detaching failed. */
  "FAILED",
] as const;

/** One of {@link CONNECTOR_ERROR_CODES}. */
export type ConnectorErrorCode = (typeof CONNECTOR_ERROR_CODES)[number];

/** A device that could not be attached, used or let go of; the message says which, why and what to do. */
export class ConnectorError extends NodeMounterError<ConnectorErrorCode> {
  override readonly name = "ConnectorError";
}
