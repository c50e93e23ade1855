/** How a call ended: what `onCall` is told. */
export interface CallRecord {
  /** The target's URI, without credentials. */
  readonly uri: string;
  readonly method: string;
  /** The parameters, secrets masked. */
  readonly params: unknown;
  /** From the call to its end, in milliseconds. */
  readonly durationMs: number;
  /** Why it failed; absent for a call that succeeded. */
  readonly error?: unknown;
}
