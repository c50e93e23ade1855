/** How long a call may take. Every function that waits takes these as its last argument. */
export interface CallOptions {
  /** Aborts the wait. Children that may be interrupted are killed; mkfs and fsck run on. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that each command may take. Default: per function, see there. */
  readonly timeoutMs?: number | undefined;
}
