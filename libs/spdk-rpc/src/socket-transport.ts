import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";

import type { Endpoint } from "./endpoint.ts";
import { SpdkConnectionError, SpdkProtocolError } from "./errors.ts";
import { JsonSplitter } from "./json-splitter.ts";
import type { PendingCall } from "./pending-call.ts";
import { parseReply } from "./reply.ts";
import type { Transport } from "./transport.ts";

/** Where to connect, its name for errors, and the time it may take. */
export interface SocketTransportOptions {
  readonly endpoint: Extract<Endpoint, { transport: "unix" | "tcp" }>;
  readonly uri: string;
  readonly connectTimeoutMs: number;
}

/**
 * Pipelines calls over one connection: opened by the first call, and after a loss by the next one. Requests are
 * written in the order of the calls, those of one tick in one write; replies are matched by id in any order.
 */
export class SocketTransport implements Transport {
  readonly #options: SocketTransportOptions;
  #connection: Connection | undefined;

  constructor(options: SocketTransportOptions) {
    this.#options = options;
  }

  submit(call: PendingCall): void {
    this.#connection ??= new Connection(this.#options, (gone) => {
      if (this.#connection === gone) this.#connection = undefined;
    });
    this.#connection.submit(call);
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }
}

class Connection {
  readonly #uri: string;
  readonly #socket: Socket;
  readonly #onGone: (connection: Connection) => void;
  readonly #splitter = new JsonSplitter();
  /** Calls to be written at the end of this tick, or once there is a connection. */
  #waiting: PendingCall[] = [];
  /** Calls whose request was written; those that their callers gave up stay until their reply has come. */
  readonly #sent = new Map<number, PendingCall>();
  #state: "connecting" | "open" | "gone" = "connecting";
  #flushing = false;

  constructor(options: SocketTransportOptions, onGone: (connection: Connection) => void) {
    const { uri, connectTimeoutMs } = options;
    this.#uri = uri;
    this.#onGone = onGone;
    this.#socket = connect(toConnectOptions(options.endpoint));
    const timer = setTimeout(
      () => this.#lose(new Error(`no connection within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    this.#socket
      .on("connect", () => {
        clearTimeout(timer);
        this.#state = "open";
        this.#flush();
      })
      .on("data", (chunk: Buffer) => this.#receive(chunk))
      .on("error", (error) => this.#lose(error))
      .on("end", () => this.#lose(new Error("the target closed the connection")))
      .on("close", () => {
        clearTimeout(timer);
        this.#lose(new Error("the connection was closed"));
      });
  }

  submit(call: PendingCall): void {
    this.#waiting.push(call);
    if (this.#state === "connecting" || this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => this.#flush());
  }

  async close(): Promise<void> {
    const closed = this.#socket.closed ? undefined : once(this.#socket, "close");
    this.#lose(new Error("the client was closed"));
    await closed;
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#state !== "open") return;
    const calls = this.#waiting.filter((call) => call.isWaiting);
    this.#waiting = [];
    if (calls.length === 0) return;
    for (const call of calls) {
      call.markSent();
      this.#sent.set(call.id, call);
    }
    this.#socket.write(calls.map((call) => call.text).join(""));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const text of this.#splitter.push(chunk)) {
        const reply = parseReply(text);
        const call = this.#sent.get(reply.id);
        if (call === undefined) throw new SyntaxError(`a reply to request ${reply.id}, which is not open`);
        this.#sent.delete(reply.id);
        call.answer(reply);
      }
    } catch (cause) {
      this.#lose(cause, "protocol");
    }
  }

  /** Ends every call; the first reason counts. */
  #lose(cause: unknown, kind: "connection" | "protocol" = "connection"): void {
    if (this.#state === "gone") return;
    const reason =
      this.#state === "connecting" ? `cannot connect to ${this.#uri}` : `the connection to ${this.#uri} was lost`;
    this.#state = "gone";
    this.#socket.destroy();
    this.#onGone(this);
    const detail = cause instanceof Error ? cause.message : String(cause);
    for (const { maybeExecuted, calls } of [
      { maybeExecuted: true, calls: [...this.#sent.values()] },
      { maybeExecuted: false, calls: this.#waiting.filter((call) => call.isWaiting) },
    ]) {
      for (const call of calls) {
        call.fail(
          kind === "protocol"
            ? new SpdkProtocolError(call.method, `${this.#uri} sent ${detail}`, { maybeExecuted, cause })
            : new SpdkConnectionError(call.method, `${reason}: ${detail}`, { maybeExecuted, cause }),
        );
      }
    }
    this.#sent.clear();
    this.#waiting = [];
  }
}

function toConnectOptions(endpoint: SocketTransportOptions["endpoint"]): NetConnectOpts {
  return endpoint.transport === "unix"
    ? { path: endpoint.path }
    : { host: endpoint.host, port: endpoint.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 };
}
