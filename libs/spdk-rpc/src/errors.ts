/** What went wrong, for a `switch` over {@link SpdkError.kind}. */
export type SpdkErrorKind = "rpc" | "connection" | "timeout" | "protocol" | "uri";

/** The base of everything that this library throws, except `TypeError` for params that JSON cannot hold. */
export abstract class SpdkError extends Error {
  /** Which of the subclasses this is. */
  abstract readonly kind: SpdkErrorKind;
}

/** The target answered with an error. */
export class SpdkRpcError extends SpdkError {
  override readonly name: string = "SpdkRpcError";
  override readonly kind = "rpc";
  /**
   * A JSON-RPC code or a negated errno. SPDK is not consistent: "File exists" comes as -17 from one method and as
   * -32602 from another. Read the state back rather than decide on it; the predicates beside this class are hints.
   */
  readonly code: number;
  /** The target's own words. */
  readonly rpcMessage: string;
  readonly method: string;

  constructor(method: string, code: number, rpcMessage: string) {
    super(`${method}: ${rpcMessage.trimEnd()} (${code})`);
    this.method = method;
    this.code = code;
    this.rpcMessage = rpcMessage;
  }
}

/** There is no connection, it was lost, or the HTTP proxy refused the credentials. */
export class SpdkConnectionError extends SpdkError {
  override readonly name: string = "SpdkConnectionError";
  override readonly kind = "connection";
  readonly method: string;
  /** Whether the request may have reached the target; false says that it certainly did not run. */
  readonly maybeExecuted: boolean;

  constructor(method: string, reason: string, options: { readonly maybeExecuted: boolean; readonly cause?: unknown }) {
    super(`${method}: ${reason}`, "cause" in options ? { cause: options.cause } : undefined);
    this.method = method;
    this.maybeExecuted = options.maybeExecuted;
  }
}

/** No answer came in time. A request that was sent runs on in the target: see {@link SpdkTimeoutError.maybeExecuted}. */
export class SpdkTimeoutError extends SpdkError {
  override readonly name: string = "SpdkTimeoutError";
  override readonly kind = "timeout";
  readonly method: string;
  readonly timeoutMs: number;
  /** True for a request that was sent; false when it still waited for a connection or its turn, and was taken back. */
  readonly maybeExecuted: boolean;

  constructor(method: string, timeoutMs: number, maybeExecuted: boolean) {
    super(
      `${method}: no answer within ${timeoutMs} ms; ${
        maybeExecuted ? "it may still run in the target" : "the request was never sent"
      }`,
    );
    this.method = method;
    this.timeoutMs = timeoutMs;
    this.maybeExecuted = maybeExecuted;
  }
}

/** The request is larger than a target takes, or the other end sent something that is no JSON-RPC reply. */
export class SpdkProtocolError extends SpdkError {
  override readonly name: string = "SpdkProtocolError";
  override readonly kind = "protocol";
  readonly method: string;
  /** Whether the request may have run; false for one that was too large to send. */
  readonly maybeExecuted: boolean;

  constructor(method: string, reason: string, options: { readonly maybeExecuted: boolean; readonly cause?: unknown }) {
    super(`${method}: ${reason}`, "cause" in options ? { cause: options.cause } : undefined);
    this.method = method;
    this.maybeExecuted = options.maybeExecuted;
  }
}

/** A target's URI that cannot be used. The message never repeats the URI, which may hold a password. */
export class SpdkUriError extends SpdkError {
  override readonly name: string = "SpdkUriError";
  override readonly kind = "uri";
}
