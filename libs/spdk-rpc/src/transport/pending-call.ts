import type { CallOptions, ConnectOptions } from "../call-options.ts";
import { SpdkRpcError, SpdkTimeoutError, SpdkUnsupportedError } from "../errors.ts";
import { METHOD_RELEASES } from "../gen/releases.ts";
import type { JsonValue } from "../json/json-value.ts";
import { redactParams } from "../redact.ts";
import { adaptParams, dependsOnRelease } from "../versions/adapt-params.ts";
import { requestLimits, SMALLEST_LIMITS } from "../versions/request-limits.ts";
import type { SpdkRelease } from "../versions/spdk-release.ts";
import type { Reply } from "./reply.ts";
import { assertFits, type EncodedRequest, encodeRequest, fits } from "./request.ts";

/** What setTimeout takes; it would fire at once on more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a pending call is made of. */
export interface PendingCallInit {
  readonly id: number;
  readonly method: string;
  readonly params: object | undefined;
  /** Whether they may be adapted to the target's release; "adapt" by default. */
  readonly parameters?: ConnectOptions["parameters"];
  /** Undefined: as long as it takes. */
  readonly timeoutMs: number | undefined;
  readonly signal: CallOptions["signal"];
  /** Called once, when the request is answered, withdrawn, or its connection is gone. */
  readonly onSettled?: (call: PendingCall) => void;
}

/**
 * One call on its way. Two ends are told apart: `result` is for the caller, who may give up early by timeout or signal;
 * the request is settled when it is answered, withdrawn or its connection is gone.
 */
export class PendingCall {
  readonly id: number;
  readonly method: string;
  readonly params: object | undefined;
  readonly result: Promise<JsonValue>;
  /** Whether the target's release must be known before it can be sent. */
  readonly needsRelease: boolean;
  readonly #request: EncodedRequest;
  #state: "waiting" | "sent" | "settled" = "waiting";
  /** Why it still waits, for the error of a call that never left. */
  #lastFailure: unknown;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onSettled: ((call: PendingCall) => void) | undefined;
  #resolve: (result: JsonValue) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  /** @throws TypeError when params hold what JSON cannot, SpdkProtocolError when they exceed what any target takes. */
  constructor({ id, method, params, parameters = "adapt", timeoutMs, signal, onSettled }: PendingCallInit) {
    this.id = id;
    this.method = method;
    this.params = params;
    this.#request = encodeRequest(id, method, params);
    assertFits(method, this.#request, requestLimits(undefined));
    this.needsRelease =
      parameters === "adapt" &&
      (!fits(this.#request, SMALLEST_LIMITS) ||
        (params !== undefined && dependsOnRelease(method, params as Readonly<Record<string, unknown>>)));
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#timeOut(timeoutMs), Math.min(timeoutMs, MAX_TIMER_MS));
    }
    this.#onSettled = onSettled;
    if (signal !== undefined) {
      this.#signal = signal;
      this.#onAbort = () => this.#giveUp(signal.reason);
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  /** False for a call that its caller gave up before it was sent: it must not be sent any more. */
  get isWaiting(): boolean {
    return this.#state === "waiting";
  }

  /**
   * The request as a target of this release takes it; undefined for a target that does not tell its release.
   *
   * @throws SpdkUnsupportedError or SpdkProtocolError when it cannot take it.
   */
  encode(release: SpdkRelease | undefined): EncodedRequest {
    if (!this.needsRelease || release === undefined) return this.#request;
    const params = adaptParams(this.method, (this.params ?? {}) as Readonly<Record<string, unknown>>, release);
    const request = params === this.params ? this.#request : encodeRequest(this.id, this.method, params);
    assertFits(this.method, request, requestLimits(release));
    return request;
  }

  /** Says that the request goes to the wire now. */
  markSent(): void {
    this.#state = "sent";
  }

  /** Says why the call goes on waiting. */
  noteFailure(error: unknown): void {
    this.#lastFailure = error;
  }

  /** Ends the call with the target's answer. */
  answer(reply: Reply, release: SpdkRelease | undefined): void {
    if ("error" in reply) this.#reject(this.#toError(reply.error, release));
    else this.#resolve(reply.result);
    this.#settle();
  }

  /** Ends the call without an answer. */
  fail(error: unknown): void {
    this.#reject(error);
    this.#settle();
  }

  #toError(error: { readonly code: number; readonly message: string }, release: SpdkRelease | undefined): Error {
    const { method } = this;
    const cause = new SpdkRpcError(method, error.code, error.message, redactParams(this.params));
    if (error.code !== METHOD_NOT_FOUND) return cause;
    const range = Object.hasOwn(METHOD_RELEASES, method) ? METHOD_RELEASES[method] : undefined;
    return new SpdkUnsupportedError({ method, range, release }, { cause });
  }

  #timeOut(timeoutMs: number): void {
    const maybeExecuted = this.#state === "sent";
    const cause = maybeExecuted || this.#lastFailure === undefined ? {} : { cause: this.#lastFailure };
    this.#giveUp(new SpdkTimeoutError(this.method, timeoutMs, { maybeExecuted, ...cause }));
  }

  #giveUp(reason: unknown): void {
    if (this.#state === "sent") {
      this.#reject(reason);
      this.#release();
    } else {
      this.fail(reason);
    }
  }

  #settle(): void {
    if (this.#state === "settled") return;
    this.#state = "settled";
    this.#release();
    this.#onSettled?.(this);
  }

  #release(): void {
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** JSON-RPC's code for a method that is not there. */
const METHOD_NOT_FOUND = -32_601;
