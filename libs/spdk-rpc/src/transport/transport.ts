import type { SpdkVersion } from "../results/framework.ts";
import type { ConnectionState } from "./connection-state.ts";
import type { PendingCall } from "./pending-call.ts";

/** One call, or several that were made as a batch. */
export type Submission = readonly PendingCall[];

/** Carries requests to a target and ends each of them, with the target's answer or without. */
export interface Transport {
  readonly state: ConnectionState;
  /** What the target said of itself on the connection that there is now; undefined before it was asked. */
  readonly version: SpdkVersion | undefined;
  /** Takes calls that are to be sent after all those taken before. */
  submit(submission: Submission): void;
  /** Ends every call at once and lets go of the connection. */
  close(): Promise<void>;
}

/** What every transport is told. */
export interface TransportOptions {
  /** The target's URI without credentials. */
  readonly uri: string;
  readonly connectTimeoutMs: number;
  readonly maxReplyBytes: number;
  readonly nextId: () => number;
  readonly onStateChange: (state: ConnectionState) => void;
}
