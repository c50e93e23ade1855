/** One request, ready for the wire. */
export interface Request {
  readonly id: number;
  readonly method: string;
  readonly text: string;
}

/** A JSON-RPC reply. */
export interface Reply {
  readonly result?: unknown;
  readonly error?: unknown;
}

/** A way to a target. */
export interface Channel {
  /** Sends at once; settles when the reply has come or can no longer come. */
  send(request: Request): Promise<Reply>;
  /** Ends what is open; calls in flight are rejected. */
  close(): Promise<void>;
}
