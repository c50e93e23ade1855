import type { CallRecord } from "./call-record.ts";
import type { ConnectionState } from "./transport/connection-state.ts";

/** How long a call may take, and what ends it early. */
export interface CallOptions {
  /** Rejects the call with the signal's reason. A request that was sent already runs on in the target. */
  readonly signal?: AbortSignal;
  /** In milliseconds, from the call on; the client's own by default. */
  readonly timeoutMs?: number;
}

/** What {@link connect} may be told beside the URI. */
export interface ConnectOptions {
  /** For HTTP's basic authentication; goes before the URI's. */
  readonly username?: string;
  /** For HTTP's basic authentication; goes before the URI's. */
  readonly password?: string;
  /** For HTTPS: whom to trust, and who we are. */
  readonly tls?: TlsOptions;
  /** The default time for each call, in milliseconds; 60,000 by default, as SPDK's own client waits. */
  readonly timeoutMs?: number;
  /** The time in which a connection must be made, in milliseconds; 5,000 by default. */
  readonly connectTimeoutMs?: number;
  /** What to do when no connection can be made. */
  readonly reconnect?: ReconnectOptions;
  /**
   * The most connections to use at once, 1 to 64; 1 by default. A target serves 64 over all its clients, so a further
   * one is used only once the target has answered on it. With more than one, calls may overtake one another.
   */
  readonly connections?: number;
  /** The most bytes that one reply may have; 64 MiB by default. */
  readonly maxReplyBytes?: number;
  /**
   * "adapt", the default: parameters are sent in the form that the target's release takes, and refused where it lacks
   * them. "verbatim": as they are given.
   */
  readonly parameters?: "adapt" | "verbatim";
  /** Told each time the connection changes its state; with several connections, of the first one. */
  readonly onStateChange?: (state: ConnectionState) => void;
  /** Told how each call ended, with secrets masked: fit for a log. */
  readonly onCall?: (record: CallRecord) => void;
}

/** Certificates for HTTPS, in PEM. */
export interface TlsOptions {
  /** Whom to trust instead of the well-known authorities. */
  readonly ca?: string | Uint8Array;
  /** The client's own certificate, where the proxy asks for one. */
  readonly cert?: string | Uint8Array;
  /** The key of that certificate. */
  readonly key?: string | Uint8Array;
  /** The name that the proxy's certificate must have; the URI's host by default. */
  readonly servername?: string;
}

/**
 * How long a call that never left waits for a connection. What was sent is never sent again. Delays double from one
 * attempt to the next, with up to half of each taken off at random, so that clients do not return in step.
 */
export interface ReconnectOptions {
  /** Attempts to connect before the calls that wait fail; 4 by default, 1 to fail at once. */
  readonly attempts?: number;
  /** The delay after the first failed attempt, in milliseconds; 100 by default. */
  readonly minDelayMs?: number;
  /** The longest delay, in milliseconds; 2,000 by default. */
  readonly maxDelayMs?: number;
}
