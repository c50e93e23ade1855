import type { CallOptions, ConnectOptions } from "./call-options.ts";
import { type Endpoint, parseUri } from "./endpoint.ts";
import { SpdkConnectionError } from "./errors.ts";
import { HttpTransport } from "./http-transport.ts";
import type { SpdkMethod, SpdkParams } from "./params.ts";
import { PendingCall } from "./pending-call.ts";
import { encodeRequest } from "./request.ts";
import type { SpdkResult } from "./results.ts";
import { SocketTransport } from "./socket-transport.ts";
import type { Transport } from "./transport.ts";

/**
 * A client of one SPDK target. It opens its connection with the first call, and again with the next call after a loss.
 *
 * @param uri `unix:///path/to/socket`, `tcp://host:port` or `http(s)://user:password@host:port`, the user and the
 * password percent-encoded.
 * @throws SpdkUriError when the URI has another form.
 */
export function connect(uri: string, options: ConnectOptions = {}): SpdkClient {
  return new SpdkClient(uri, options);
}

/** The arguments of a call after the method's name: params can be left out where none is required. */
export type CallArguments<M extends string> =
  Record<never, never> extends SpdkParams<M>
    ? [params?: SpdkParams<M> | undefined, options?: CallOptions | undefined]
    : [params: SpdkParams<M>, options?: CallOptions | undefined];

/** A client of one SPDK target; {@link connect} makes it. */
export class SpdkClient {
  /** The target's URI without user and password. */
  readonly uri: string;
  readonly #timeoutMs: number;
  readonly #transport: Transport;
  readonly #open = new Set<PendingCall>();
  #lastId = 0;
  #closed = false;

  constructor(uri: string, options: ConnectOptions = {}) {
    const { timeoutMs = 30_000, connectTimeoutMs = 5_000, ...credentials } = options;
    const parsed = parseUri(uri, credentials);
    this.uri = parsed.uri;
    this.#timeoutMs = timeoutMs;
    this.#transport = createTransport(parsed.endpoint, parsed.uri, connectTimeoutMs);
  }

  /**
   * Calls a method. Over a socket, calls are pipelined: each is sent at once, in the order of the calls, and targets
   * may answer in another order. Over HTTP, one request is under way at a time.
   *
   * A result is what the target sent, not checked against its type. Integers beyond 2^53 are of type `bigint`.
   *
   * @throws SpdkRpcError when the target answers with an error
   * @throws SpdkConnectionError when no connection is made, or it is lost
   * @throws SpdkTimeoutError when no answer comes in time
   * @throws SpdkProtocolError when the request is too large, or the answer is none
   * @throws TypeError when params hold what JSON cannot
   * @throws the signal's reason when it is aborted
   */
  async call<M extends SpdkMethod | (string & Record<never, never>)>(
    method: M,
    ...[params, options = {}]: CallArguments<M>
  ): Promise<SpdkResult<M>> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    signal?.throwIfAborted();
    if (this.#closed) throw new SpdkConnectionError(method, "the client is closed", { maybeExecuted: false });
    const id = this.#lastId + 1;
    const text = encodeRequest(id, method, params as object | undefined);
    this.#lastId = id;
    const call = new PendingCall({ id, method, text, timeoutMs, signal });
    this.#open.add(call);
    void call.settled.then(() => this.#open.delete(call));
    this.#transport.submit(call);
    return (await call.result) as SpdkResult<M>;
  }

  /**
   * Waits until every request of the calls made so far has been answered or its connection is gone, those whose
   * callers were told of a timeout or gave up included: until then such a request may still take effect.
   */
  async settled(): Promise<void> {
    await Promise.all([...this.#open].map((call) => call.settled));
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
}

function createTransport(endpoint: Endpoint, uri: string, connectTimeoutMs: number): Transport {
  return endpoint.transport === "http"
    ? new HttpTransport({ endpoint, uri, connectTimeoutMs })
    : new SocketTransport({ endpoint, uri, connectTimeoutMs });
}
