import type { BatchCall, BatchResults } from "./batch.ts";
import type { CallOptions, ConnectOptions } from "./call-options.ts";
import { SpdkConnectionError } from "./errors.ts";
import type { JsonValue } from "./json/json-value.ts";
import { followNotifications, type NotificationOptions, type SpdkNotification } from "./notifications.ts";
import type { SpdkMethod, SpdkParams } from "./params.ts";
import { redactParams } from "./redact.ts";
import type { SpdkVersion } from "./results/framework.ts";
import type { SpdkResult } from "./results/spdk-method-results.ts";
import { callChannel } from "./tracing.ts";
import type { ConnectionState } from "./transport/connection-state.ts";
import { createTransport } from "./transport/create-transport.ts";
import { parseUri } from "./transport/endpoint.ts";
import { VERSION_METHOD } from "./transport/known-version.ts";
import { PendingCall } from "./transport/pending-call.ts";
import type { Transport } from "./transport/transport.ts";

/**
 * A client of one SPDK target. It opens its connection with the first call, and again with the next call after a loss.
 *
 * @param uri `unix:///path/to/socket`, `tcp://host:port` or `http(s)://user:password@host:port`, the user and the
 * password percent-encoded.
 * @throws SpdkUriError when the URI has another form, RangeError when an option is out of range.
 */
export function connect(uri: string, options: ConnectOptions = {}): SpdkClient {
  return new SpdkClient(uri, options);
}

/** The arguments of a call after the method's name: params can be left out where none is required. */
export type CallArguments<M extends string> =
  Record<never, never> extends SpdkParams<M>
    ? [params?: SpdkParams<M> | undefined, options?: CallOptions | undefined]
    : [params: SpdkParams<M>, options?: CallOptions | undefined];

/** Any method's name, with the known ones offered. */
type MethodName = SpdkMethod | (string & Record<never, never>);

/** A client of one SPDK target; {@link connect} makes it. */
export class SpdkClient {
  /** The target's URI without user and password. */
  readonly uri: string;
  readonly #timeoutMs: number;
  readonly #parameters: NonNullable<ConnectOptions["parameters"]>;
  readonly #onCall: ConnectOptions["onCall"];
  readonly #transport: Transport;
  readonly #open = new Set<PendingCall>();
  readonly #settlers = new Set<{ readonly calls: Set<PendingCall>; readonly resolve: () => void }>();
  #lastId = 0;
  #closed = false;

  constructor(uri: string, options: ConnectOptions = {}) {
    const parsed = parseUri(uri, options);
    this.uri = parsed.uri;
    this.#timeoutMs = checkTimeout(options.timeoutMs ?? 60_000);
    this.#parameters = options.parameters ?? "adapt";
    this.#onCall = options.onCall;
    this.#transport = createTransport(parsed, options, () => this.#nextId());
  }

  /** What the connection is doing now; `onStateChange` tells of changes. */
  get state(): ConnectionState {
    return this.#transport.state;
  }

  /**
   * Calls a method. Over a socket, calls are pipelined: each is sent at once, in the order of the calls, and targets
   * may answer in another order. Over HTTP, one request is under way at a time. Parameters are sent in the form that
   * the target's release takes.
   *
   * A result is what the target sent, not checked against its type. Integers beyond 2^53 are of type `bigint`.
   *
   * @throws SpdkRpcError when the target answers with an error
   * @throws SpdkUnsupportedError when the target lacks the method, or its release a parameter
   * @throws SpdkConnectionError when no connection is made, or it is lost
   * @throws SpdkTimeoutError when no answer comes in time
   * @throws SpdkProtocolError when the request is too large, or the answer is none
   * @throws TypeError when params hold what JSON cannot
   * @throws the signal's reason when it is aborted
   */
  async call<M extends MethodName>(method: M, ...[params, options]: CallArguments<M>): Promise<SpdkResult<M>> {
    const call = this.#prepare(method, params as object | undefined, options);
    this.#transport.submit([call]);
    return (await this.#watch(call)) as SpdkResult<M>;
  }

  /**
   * Makes several calls in one request where the target serves batches (v26.05 on), else pipelined in one write. They
   * run side by side, in no order. Gives how each of them ended, as `Promise.allSettled` does, when all have.
   *
   * @throws TypeError and SpdkProtocolError as {@link SpdkClient.call}, before anything is sent.
   */
  async batch<const Calls extends readonly BatchCall[]>(
    calls: Calls,
    options?: CallOptions,
  ): Promise<BatchResults<Calls>> {
    const pending: PendingCall[] = [];
    try {
      for (const { method, params } of calls) pending.push(this.#prepare(method, params, options));
    } catch (error) {
      for (const call of pending) call.fail(error);
      await Promise.allSettled(pending.map((call) => call.result));
      throw error;
    }
    if (pending.length > 0) this.#transport.submit(pending);
    return (await Promise.allSettled(pending.map((call) => this.#watch(call)))) as BatchResults<Calls>;
  }

  /**
   * What the target says of itself (`spdk_get_version`), asked once for each connection; over HTTP again after an
   * exchange that failed.
   *
   * @throws as {@link SpdkClient.call}
   */
  async version(options?: CallOptions): Promise<SpdkVersion> {
    return this.#transport.version ?? this.call(VERSION_METHOD, undefined, options);
  }

  /**
   * The target's notifications (`notify_get_notifications`), from now on: bdevs that come and go. A target keeps the
   * last 1,024 only; {@link SpdkNotification.missed} counts those that were gone before they could be read. Goes on
   * over losses of the connection and restarts of the target until the signal is aborted or the loop is left.
   */
  notifications(options: NotificationOptions = {}): AsyncGenerator<SpdkNotification, void, undefined> {
    return followNotifications((...args) => this.call("notify_get_notifications", ...args), options);
  }

  /**
   * Waits until every request of the calls made so far has been answered or its connection is gone, those whose
   * callers were told of a timeout or gave up included: until then such a request may still take effect.
   */
  async settled(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#settlers.add({ calls: new Set(this.#open), resolve });
    });
  }

  /** Rejects every open call and all later ones, and closes the connection. Requests already sent run on. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#transport.close();
  }

  /** The same as {@link SpdkClient.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #prepare(method: string, params: object | undefined, options: CallOptions = {}): PendingCall {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    signal?.throwIfAborted();
    if (this.#closed) throw new SpdkConnectionError(method, "closed", "the client is closed", { maybeExecuted: false });
    checkTimeout(timeoutMs);
    const parameters = this.#parameters;
    const call = new PendingCall({
      id: this.#nextId(),
      method,
      params,
      parameters,
      timeoutMs,
      signal,
      onSettled: this.#settle,
    });
    this.#open.add(call);
    return call;
  }

  readonly #settle = (call: PendingCall): void => {
    this.#open.delete(call);
    for (const settler of this.#settlers) {
      settler.calls.delete(call);
      if (settler.calls.size > 0) continue;
      this.#settlers.delete(settler);
      settler.resolve();
    }
  };

  /** The call's result, told to those who want to know of calls. */
  #watch(call: PendingCall): Promise<JsonValue> {
    const { method, params } = call;
    const traced = callChannel.hasSubscribers
      ? callChannel.tracePromise(() => call.result, { uri: this.uri, method, params: redactParams(params) })
      : call.result;
    return this.#onCall === undefined ? traced : this.#record(call, traced, this.#onCall);
  }

  async #record(
    { method, params }: PendingCall,
    result: Promise<JsonValue>,
    onCall: NonNullable<ConnectOptions["onCall"]>,
  ): Promise<JsonValue> {
    const start = performance.now();
    const tell = (failure: { readonly error?: unknown }): void =>
      onCall({
        uri: this.uri,
        method,
        params: redactParams(params),
        durationMs: performance.now() - start,
        ...failure,
      });
    try {
      const value = await result;
      tell({});
      return value;
    } catch (error) {
      tell({ error });
      throw error;
    }
  }
}

/** @throws RangeError for what is no time to wait. */
function checkTimeout(timeoutMs: number): number {
  if (timeoutMs > 0) return timeoutMs;
  throw new RangeError(`timeoutMs is ${timeoutMs}: it must be greater than 0, Infinity for no end`);
}
