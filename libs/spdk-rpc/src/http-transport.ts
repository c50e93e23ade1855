import type { Client } from "undici";

import type { Endpoint } from "./endpoint.ts";
import { SpdkConnectionError, SpdkProtocolError } from "./errors.ts";
import { JsonSplitter } from "./json-splitter.ts";
import type { PendingCall } from "./pending-call.ts";
import { parseReply, type Reply } from "./reply.ts";
import type { Transport } from "./transport.ts";

/** Where to post, its name for errors, and the time that a connection may take. */
export interface HttpTransportOptions {
  readonly endpoint: Extract<Endpoint, { transport: "http" }>;
  readonly uri: string;
  readonly connectTimeoutMs: number;
}

/** Codes of errors that come before a byte of the request can have left. */
const NOT_CONNECTED: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * Posts one request at a time, in the order of the calls, each on a connection of its own: the proxy that SPDK ships
 * serves a single connection at once, so that an idle one would shut everybody else out. A request that was sent is
 * waited for even when its caller gave up, so that the next one cannot overtake it.
 */
export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions;
  #queue: PendingCall[] = [];
  #current: PendingCall | undefined;
  #client: Client | undefined;
  #closed = false;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
  }

  submit(call: PendingCall): void {
    this.#queue.push(call);
    if (this.#current === undefined) void this.#work();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const reason = `the connection to ${this.#options.uri} was lost: the client was closed`;
    for (const call of this.#queue) call.fail(new SpdkConnectionError(call.method, reason, { maybeExecuted: false }));
    this.#queue = [];
    const current = this.#current;
    current?.fail(new SpdkConnectionError(current.method, reason, { maybeExecuted: !current.isWaiting }));
    await this.#client?.destroy();
  }

  async #work(): Promise<void> {
    for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) {
      if (!call.isWaiting) continue;
      this.#current = call;
      try {
        call.answer(await this.#post(call));
      } catch (error) {
        call.fail(error);
      }
    }
    this.#current = undefined;
  }

  async #post(call: PendingCall): Promise<Reply> {
    const { method } = call;
    const client = await this.#open(method);
    if (this.#closed || !call.isWaiting) throw new SpdkConnectionError(method, "not sent", { maybeExecuted: false });
    call.markSent();
    const { statusCode, body } = await this.#exchange(client, call);
    if (statusCode === 401) {
      const reason = `${this.#options.uri} refused user name and password (HTTP 401)`;
      throw new SpdkConnectionError(method, reason, { maybeExecuted: false });
    }
    if (statusCode !== 200) throw this.#protocolError(method, `HTTP status ${statusCode} instead of a reply`);
    if (body.length === 0) throw this.#protocolError(method, "an empty answer");
    return this.#read(call, body);
  }

  /** Loaded by the first call: a client of a socket needs no HTTP. */
  async #open(method: string): Promise<Client> {
    const { endpoint, connectTimeoutMs } = this.#options;
    try {
      // The default export is the one that bundlers keep of a CommonJS module.
      const { Client } = (await import("undici")).default;
      this.#client ??= new Client(endpoint.origin, {
        // No connection outlives its request.
        pipelining: 0,
        connect: { timeout: connectTimeoutMs },
        // The call has the deadline; a request that was sent is waited for.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      return this.#client;
    } catch (cause) {
      const reason = "HTTP needs the package undici and Node.js 22.19 or later";
      throw new SpdkConnectionError(method, reason, { maybeExecuted: false, cause });
    }
  }

  async #exchange(client: Client, call: PendingCall): Promise<{ statusCode: number; body: Uint8Array }> {
    const { endpoint, uri } = this.#options;
    const { authorization } = endpoint;
    try {
      const { statusCode, body } = await client.request({
        method: "POST",
        path: endpoint.path,
        headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) },
        body: call.text,
      });
      return { statusCode, body: await body.bytes() };
    } catch (cause) {
      const maybeExecuted = !NOT_CONNECTED.has(codeOf(cause));
      const reason = maybeExecuted ? `the connection to ${uri} was lost` : `cannot connect to ${uri}`;
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new SpdkConnectionError(call.method, `${reason}: ${detail}`, { maybeExecuted, cause });
    }
  }

  #read(call: PendingCall, body: Uint8Array): Reply {
    try {
      const [text, ...more] = new JsonSplitter().push(body);
      if (text === undefined || more.length > 0) throw new SyntaxError("something other than one JSON object");
      const reply = parseReply(text);
      if (reply.id !== call.id) throw new SyntaxError(`a reply to request ${reply.id} instead of ${call.id}`);
      return reply;
    } catch (cause) {
      throw this.#protocolError(call.method, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  #protocolError(method: string, what: string, cause?: unknown): SpdkProtocolError {
    return new SpdkProtocolError(method, `${this.#options.uri} sent ${what}`, { maybeExecuted: true, cause });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
