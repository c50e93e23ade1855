import type { CallOptions } from "../host/call-options.ts";
import { HostError } from "../host/host-error.ts";
import type { KeyedQueue } from "../keyed-queue.ts";
import { ConnectorError } from "./connector-error.ts";

/**
 * Does a connector's work on a target, one call at a time. Of HostError only `ABORTED` comes through: what the kernel did
 * not do in time, and a command that is missing, are the connector's errors.
 */
export async function inTurn<T>(
  queue: KeyedQueue,
  target: string,
  work: () => Promise<T>,
  limits: CallOptions,
): Promise<T> {
  try {
    return await queue.run(target, work, limits);
  } catch (cause) {
    if (!(cause instanceof HostError) || cause.code === "ABORTED") throw cause;
    const code = cause.code === "TIMEOUT" ? "TIMEOUT" : "UNSUPPORTED";
    throw new ConnectorError(code, cause.message, { cause });
  }
}
