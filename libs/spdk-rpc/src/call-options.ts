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
  /** The default time for each call, in milliseconds; 30,000 by default. */
  readonly timeoutMs?: number;
  /** The time in which a connection must be made, in milliseconds; 5,000 by default. */
  readonly connectTimeoutMs?: number;
}
