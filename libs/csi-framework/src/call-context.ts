import type { Span } from "@opentelemetry/api";

import type { Logger } from "./logger.ts";

/** What a driver's method learns about the call beside its request. */
export interface CallContext {
  /** The RPC's name as the proto writes it, for example "CreateVolume". */
  readonly method: string;
  /** A random id of this call. It stands in every log line of the call and in the text of an INTERNAL error. */
  readonly requestId: string;
  /** Aborts when the caller has cancelled or its deadline has passed. */
  readonly signal: AbortSignal;
  /** When the caller stops waiting, in milliseconds since 1970; undefined for one that waits without end. */
  readonly deadline: number | undefined;
  /** How many milliseconds the caller goes on waiting: not below 0, Infinity without a deadline. */
  remainingMs(): number;
  /** The server's logger with `method` and `requestId` on every line. */
  readonly logger: Logger;
  /** The span of the call; one that records nothing where the process has no OpenTelemetry SDK. */
  readonly span: Span;
  /** Keeps the call's locks until `work` has settled, even if the caller has been answered before. */
  hold(work: Promise<unknown>): void;
}
