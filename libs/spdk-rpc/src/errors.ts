import { type Errno, errnoOf } from "./errno.ts";
import { describeRange, formatRelease, type ReleaseRange, type SpdkRelease } from "./versions/spdk-release.ts";

/** What went wrong, for a `switch` over {@link SpdkError.kind}. */
export type SpdkErrorKind = "rpc" | "unsupported" | "connection" | "timeout" | "protocol" | "uri";

/** The base of everything that this library throws, except `TypeError` for params that JSON cannot hold. */
export abstract class SpdkError extends Error {
  /** Which of the subclasses this is. */
  abstract readonly kind: SpdkErrorKind;
}

/** The target answered with an error. */
export class SpdkRpcError extends SpdkError {
  override readonly name: string = "SpdkRpcError";
  override readonly kind = "rpc";
  readonly method: string;
  /**
   * A JSON-RPC code or a negated errno. SPDK is not consistent: "File exists" comes as -17 from one method and as
   * -32602 from another. Read the state back rather than decide on it; the predicates beside this class are hints.
   */
  readonly code: number;
  /** The target's own words. */
  readonly rpcMessage: string;
  /** The errno that code or words stand for; undefined for "Invalid parameters" and the like. */
  readonly errno: Errno | undefined;
  /** The call's parameters, secrets masked. */
  readonly params: unknown;

  constructor(method: string, code: number, rpcMessage: string, params?: unknown) {
    super(`${method}: ${rpcMessage.trimEnd()} (${code})`);
    this.method = method;
    this.code = code;
    this.rpcMessage = rpcMessage;
    this.errno = errnoOf(code, rpcMessage);
    this.params = params;
  }
}

/** What a {@link SpdkUnsupportedError} is about. */
export interface Unsupported {
  readonly method: string;
  /** The parameter that is not there; absent where it is the method. */
  readonly parameter?: string;
  /** The releases that have it, where they are known. */
  readonly range?: ReleaseRange | undefined;
  /** The target's release, where it is known. */
  readonly release?: SpdkRelease | undefined;
}

/**
 * The target has no such method, or its release has no such parameter. Nothing ran: a parameter that a release lacks is
 * refused before it is sent, because some releases ignore what they do not know.
 */
export class SpdkUnsupportedError extends SpdkError {
  override readonly name: string = "SpdkUnsupportedError";
  override readonly kind = "unsupported";
  readonly maybeExecuted = false;
  readonly method: string;
  readonly parameter: string | undefined;
  /** The first release of SPDK that has it, such as "v24.05"; undefined where none is known. */
  readonly since: string | undefined;
  /** The last release of SPDK that has it; undefined while it is there. */
  readonly until: string | undefined;
  /** The target's release, such as "v24.01", where it is known. */
  readonly targetRelease: string | undefined;

  constructor({ method, parameter, range, release }: Unsupported, options?: ErrorOptions) {
    const subject = parameter === undefined ? `${method}: the target has no such method` : `${method}: no ${parameter}`;
    const target = release === undefined ? "" : ` in SPDK ${formatRelease(release)}`;
    const remedy = range === undefined ? "" : `; SPDK has it ${describeRange(range)}`;
    super(`${subject}${target}${remedy}`, options);
    this.method = method;
    this.parameter = parameter;
    this.since = range === undefined ? undefined : formatRelease(range[0]);
    this.until = range?.[1] === undefined ? undefined : formatRelease(range[1]);
    this.targetRelease = release === undefined ? undefined : formatRelease(release);
  }
}

/** Whether a request may have run, and what is behind the error. */
export interface Outcome extends ErrorOptions {
  readonly maybeExecuted: boolean;
}

/**
 * Why there is no connection: none could be made, it was lost under the call, the HTTP proxy refused user name and
 * password, or the client was closed.
 */
export type ConnectionFailure = "unreachable" | "lost" | "refused" | "closed";

/** There is no connection to carry the call. */
export class SpdkConnectionError extends SpdkError {
  override readonly name: string = "SpdkConnectionError";
  override readonly kind = "connection";
  readonly method: string;
  readonly reason: ConnectionFailure;
  /** Whether the request may have reached the target; false says that it certainly did not run. */
  readonly maybeExecuted: boolean;

  constructor(method: string, reason: ConnectionFailure, detail: string, { maybeExecuted, ...options }: Outcome) {
    super(`${method}: ${detail}`, options);
    this.method = method;
    this.reason = reason;
    this.maybeExecuted = maybeExecuted;
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

  constructor(method: string, timeoutMs: number, { maybeExecuted, ...options }: Outcome) {
    const consequence = maybeExecuted ? "it may still run in the target" : "the request was never sent";
    super(`${method}: no answer within ${timeoutMs} ms; ${consequence}`, options);
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

  constructor(method: string, reason: string, { maybeExecuted, ...options }: Outcome) {
    super(`${method}: ${reason}`, options);
    this.method = method;
    this.maybeExecuted = maybeExecuted;
  }
}

/** A target's URI that cannot be used. The message never repeats the URI, which may hold a password. */
export class SpdkUriError extends SpdkError {
  override readonly name: string = "SpdkUriError";
  override readonly kind = "uri";
}
