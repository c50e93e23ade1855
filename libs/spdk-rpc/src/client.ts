import { parseAddress } from "./address.ts";
import type { Channel, Reply } from "./channel.ts";
import { SpdkProtocolError, SpdkRpcError, SpdkTimeoutError } from "./errors.ts";
import { HttpChannel } from "./http-channel.ts";
import { countValues, type JsonObject, type JsonValue, stringifyJson } from "./json.ts";
import type { SpdkMethod, SpdkParams } from "./params.ts";
import type { SpdkResult } from "./results.ts";
import { SocketChannel } from "./socket-channel.ts";

/** SPDK closes the connection, without a reply, on larger requests (v26.05 and later; older ones take 32,768 and 1,024). */
const MAX_REQUEST_BYTES = 262_144;
const MAX_REQUEST_VALUES = 8_192;

/** How a client is set up. */
export interface ConnectOptions {
  /** Basic authentication over HTTP; overrides what the URI says. */
  readonly username?: string;
  readonly password?: string;
  /** How long a call waits for its reply unless it says otherwise, in ms. Default 30,000. */
  readonly timeoutMs?: number;
  /** How long opening a connection may take, in ms. Default 5,000. */
  readonly connectTimeoutMs?: number;
}

/** How one call is made. */
export interface CallOptions {
  /** Ends the wait for the reply; a call that was sent may still be carried out. */
  readonly signal?: AbortSignal;
  /** How long to wait for the reply, in ms. */
  readonly timeoutMs?: number;
}

/**
 * A client of the target at `uri`: `unix:///path`, `tcp://host:port` or `http(s)://user:pass@host:port`. It connects with
 * the first call, and again with the first call after a loss. Throws a TypeError for any other URI.
 */
export function connect(uri: string, options: ConnectOptions = {}): SpdkClient {
  return new SpdkClient(uri, options);
}

/** Calls SPDK's JSON-RPC methods, as many at a time as you like. */
export class SpdkClient {
  /** Where the target is, without credentials. */
  readonly uri: string;
  readonly #channel: Channel;
  readonly #timeoutMs: number;
  readonly #inFlight = new Set<Promise<unknown>>();
  #lastId = 0;

  constructor(uri: string, { timeoutMs = 30_000, connectTimeoutMs = 5_000, ...credentials }: ConnectOptions = {}) {
    const address = parseAddress(uri, credentials);
    this.uri = address.display;
    this.#timeoutMs = timeoutMs;
    this.#channel =
      address.kind === "socket"
        ? new SocketChannel(address, connectTimeoutMs)
        : new HttpChannel(address, connectTimeoutMs);
  }

  /**
   * Calls a method. Calls reach the target in the order in which they are made; their replies may come in any order.
   * Rejects with SpdkRpcError, SpdkConnectionError, SpdkTimeoutError, SpdkProtocolError or the signal's reason.
   */
  call<M extends SpdkMethod>(method: M, params?: SpdkParams<M>, options?: CallOptions): Promise<SpdkResult<M>>;
  /** Calls a method that this version does not know. */
  call(method: string, params?: JsonObject, options?: CallOptions): Promise<JsonValue>;
  async call(method: string, params?: object, options: CallOptions = {}): Promise<unknown> {
    options.signal?.throwIfAborted();
    this.#lastId += 1;
    const request = { jsonrpc: "2.0", method, ...(params !== undefined && { params }), id: this.#lastId };
    const text = stringifyJson(request);
    assertSendable(method, request, text);
    const sent = this.#channel.send({ id: this.#lastId, method, text });
    const done = (): void => {
      this.#inFlight.delete(settled);
    };
    const settled: Promise<void> = sent.then(done, done);
    this.#inFlight.add(settled);
    return toResult(method, await this.#wait(method, sent, options));
  }

  async #wait(
    method: string,
    sent: Promise<Reply>,
    { signal, timeoutMs = this.#timeoutMs }: CallOptions,
  ): Promise<Reply> {
    let giveUp = (): void => undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => reject(new SpdkTimeoutError(method, timeoutMs)), timeoutMs);
      const abort = (): void => reject(signal?.reason);
      signal?.addEventListener("abort", abort, { once: true });
      giveUp = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
    });
    try {
      return await Promise.race([sent, limit]);
    } finally {
      giveUp();
    }
  }

  /** Resolves when all that was sent has been answered or can no longer be, calls that were given up included. */
  async settled(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  /** Closes the connection; calls in flight are rejected. */
  async close(): Promise<void> {
    await this.#channel.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function assertSendable(method: string, request: object, text: string): void {
  const bytes = Buffer.byteLength(text);
  const values = bytes < MAX_REQUEST_VALUES ? 0 : countValues(request);
  if (bytes <= MAX_REQUEST_BYTES && values <= MAX_REQUEST_VALUES) return;
  const what = bytes > MAX_REQUEST_BYTES ? `${bytes} bytes` : `${values} JSON values`;
  throw new SpdkProtocolError(
    method,
    `the request has ${what}; SPDK takes at most ${MAX_REQUEST_BYTES} bytes and ${MAX_REQUEST_VALUES} values`,
    { maybeExecuted: false },
  );
}

function toResult(method: string, { result, error }: Reply): unknown {
  if (error === undefined) return result;
  if (typeof error === "object" && error !== null && "code" in error && "message" in error) {
    throw new SpdkRpcError(method, Number(error.code), String(error.message));
  }
  throw new SpdkProtocolError(method, "the target sent an error without code and message", { maybeExecuted: true });
}
