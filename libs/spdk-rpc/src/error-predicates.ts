import { SpdkRpcError } from "./errors.ts";

/**
 * Whether the target says that a bdev, lvol, lvstore, transport or NVMe-oF subsystem does not exist: -19, or a -32602
 * that says so. Targets before v26.05 answer "Invalid parameters" to some unknown subsystems: for those, list them.
 */
export function isNoSuchDevice(error: unknown): error is SpdkRpcError {
  return matches(error, -19, /No such device|^Subsystem with NQN .* not found|^Unable to find subsystem/);
}

/** Whether the target says that the name is taken: -17, or "File exists" and "already exists" under another code. */
export function isExists(error: unknown): error is SpdkRpcError {
  return matches(error, -17, /File exists|already exists/);
}

/** Whether the target says that an lvstore is full: -28, or a -32602 that says so. */
export function isNoSpace(error: unknown): error is SpdkRpcError {
  return matches(error, -28, /No space left on device/);
}

/**
 * Whether the target says that the object is in use or in the middle of another change: -16 and -11, or -32602 and
 * -32603 that say so. What is only changing is free again within milliseconds; what is in use may stay so.
 */
export function isBusy(error: unknown): error is SpdkRpcError {
  return (
    matches(error, -16, /Device or resource busy|subsystem busy|another state change|already being destroyed/) ||
    matches(error, -11, /Resource temporarily unavailable/)
  );
}

/** The words count only under the two codes that SPDK gives to anything; an errno speaks for itself. */
function matches(error: unknown, code: number, message: RegExp): error is SpdkRpcError {
  if (!(error instanceof SpdkRpcError)) return false;
  return error.code === code || (isGeneric(error.code) && message.test(error.rpcMessage));
}

function isGeneric(code: number): boolean {
  return code === -32602 || code === -32603;
}
