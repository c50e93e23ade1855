import type { CallOptions } from "./call-options.ts";
import { SpdkRpcError, SpdkTimeoutError } from "./errors.ts";
import type { JsonValue } from "./json-value.ts";
import type { Reply } from "./reply.ts";

/** What setTimeout takes; it would fire at once on more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a pending call is made of. */
export interface PendingCallInit {
  readonly id: number;
  readonly method: string;
  readonly text: string;
  readonly timeoutMs: number;
  readonly signal: CallOptions["signal"];
}

/**
 * One call on its way. Two ends are told apart: `result` is for the caller, who may give up early by timeout or
 * signal; `settled` is for the request, which lives until it is answered, withdrawn or its connection is gone.
 */
export class PendingCall {
  readonly id: number;
  readonly method: string;
  /** The request as JSON. */
  readonly text: string;
  readonly result: Promise<JsonValue>;
  readonly settled: Promise<void>;
  /** Whether it still waits to be sent, was sent, or is done with. */
  #state: "waiting" | "sent" | "settled" = "waiting";
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  #resolve: (result: JsonValue) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #settle: () => void = () => undefined;

  constructor({ id, method, text, timeoutMs, signal }: PendingCallInit) {
    this.id = id;
    this.method = method;
    this.text = text;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#timer = setTimeout(
      () => this.#giveUp(new SpdkTimeoutError(method, timeoutMs, this.#state === "sent")),
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** False for a call that its caller gave up before it was sent: it must not be sent any more. */
  get isWaiting(): boolean {
    return this.#state === "waiting";
  }

  /** Says that the request goes to the wire now. */
  markSent(): void {
    this.#state = "sent";
  }

  /** Ends the call with the target's answer. */
  answer(reply: Reply): void {
    if ("error" in reply) this.#reject(new SpdkRpcError(this.method, reply.error.code, reply.error.message));
    else this.#resolve(reply.result);
    this.#end();
  }

  /** Ends the call without an answer. */
  fail(error: unknown): void {
    this.#reject(error);
    this.#end();
  }

  readonly #onAbort = (): void => this.#giveUp(this.#signal?.reason);

  #giveUp(reason: unknown): void {
    if (this.#state === "sent") {
      this.#reject(reason);
      this.#release();
    } else {
      this.fail(reason);
    }
  }

  #end(): void {
    this.#state = "settled";
    this.#release();
    this.#settle();
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
