import { SpdkRpcError } from "./errors.ts";

/**
 * Whether the target says that a bdev, lvol, lvstore, transport or NVMe-oF subsystem does not exist: -19, or words that
 * say so. Targets before v26.05 answer "Invalid parameters" to some unknown subsystems: for those, list them.
 */
export function isNoSuchDevice(error: unknown): error is SpdkRpcError {
  const words = [
    /No such device/,
    /\b(?:bdev|lvs) does not exist/,
    /^Lvol store .* not found/,
    /^Subsystem with NQN .* not found/,
    /^Unable to find subsystem with NQN/,
  ];
  return means(error, [19], words);
}

/** Whether the target says that the name is taken: -17, or "File exists" and "already exists" under another code. */
export function isExists(error: unknown): error is SpdkRpcError {
  return means(error, [17], [/File exists/, /already exists/, /\brc -17$/]);
}

/** Whether the target says that an lvstore is full: -28, or words that say so. */
export function isNoSpace(error: unknown): error is SpdkRpcError {
  return means(error, [28], [/No space left on device/]);
}

/**
 * Whether the target says that the object is in use or in the middle of another change: -16 and -11, or words that say
 * so. What is only changing is free again within milliseconds; what is in use may stay so.
 */
export function isBusy(error: unknown): error is SpdkRpcError {
  const words = [
    /Device or resource busy/,
    /Resource temporarily unavailable/,
    /subsystem busy/,
    /another state change/,
    /already being destroyed/,
  ];
  return means(error, [16, 11], words);
}

/** An errno speaks for itself, negated as a rule and positive on v22.05; the words count under whatever code. */
function means(error: unknown, errnos: readonly number[], words: readonly RegExp[]): error is SpdkRpcError {
  if (!(error instanceof SpdkRpcError)) return false;
  const { code, rpcMessage } = error;
  return errnos.includes(Math.abs(code)) || words.some((pattern) => pattern.test(rpcMessage));
}
