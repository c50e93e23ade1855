import type { Logger } from "./logger.ts";

/** What a driver's method learns about the call beside its request. */
export interface CallContext {
  /** The RPC's name as the proto writes it, for example "CreateVolume". */
  readonly method: string;
  /** A random id of this call. It stands in every log line of the call and in the text of an INTERNAL error. */
  readonly requestId: string;
  /** Aborts when the caller has cancelled or its deadline has passed. */
  readonly signal: AbortSignal;
  /** The server's logger with `method` and `requestId` on every line. */
  readonly logger: Logger;
  /** Keeps the call's locks until `work` has settled, even if the caller has been answered before. */
  hold(work: Promise<unknown>): void;
}
