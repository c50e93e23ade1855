import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";

import { SpdkConnectionError, SpdkProtocolError } from "../errors.ts";
import { JsonSplitter } from "../json/json-splitter.ts";
import type { Endpoint } from "./endpoint.ts";
import { KnownVersion, VERSION_METHOD } from "./known-version.ts";
import type { PendingCall } from "./pending-call.ts";
import { parseReplies, type Reply } from "./reply.ts";

/** Where to connect, and the bounds of a connection. */
export interface SocketConnectionOptions {
  readonly endpoint: Extract<Endpoint, { transport: "unix" | "tcp" }>;
  readonly uri: string;
  readonly connectTimeoutMs: number;
  readonly maxReplyBytes: number;
}

/** What a connection tells its owner. */
export interface SocketConnectionEvents {
  /** Something more can be written, or there is more to know. */
  onReady(): void;
  /** It is gone, once; its calls have ended. `answered`: whether the target ever replied on it. */
  onGone(error: Error, answered: boolean): void;
}

/** One connection over a stream socket: writes requests and matches replies to them by id, in any order. */
export class SocketConnection {
  readonly target: KnownVersion = new KnownVersion();
  readonly #uri: string;
  readonly #socket: Socket;
  readonly #splitter: JsonSplitter;
  readonly #events: SocketConnectionEvents;
  /** Calls whose request was written; those that their callers gave up stay until their reply has come. */
  readonly #sent = new Map<number, PendingCall>();
  #state: "connecting" | "open" | "gone" = "connecting";
  #writing = false;
  #answered = false;

  constructor(options: SocketConnectionOptions, events: SocketConnectionEvents) {
    this.#uri = options.uri;
    this.#events = events;
    this.#splitter = new JsonSplitter({ maxBytes: options.maxReplyBytes });
    this.#socket = connect(toConnectOptions(options.endpoint));
    const { connectTimeoutMs } = options;
    const timer = setTimeout(
      () => this.#lose(new Error(`no connection within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    this.#socket
      .on("connect", () => {
        clearTimeout(timer);
        if (this.#state !== "connecting") return;
        this.#state = "open";
        events.onReady();
      })
      .on("data", (chunk: Buffer) => this.#receive(chunk))
      .on("error", (error) => this.#lose(error))
      .on("end", () => this.#lose(new Error("the target closed the connection")))
      .on("close", () => {
        clearTimeout(timer);
        this.#lose(new Error("the connection was closed"));
      });
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether the kernel took all that was written: what is not written yet can still be taken back, or sent elsewhere. */
  get isWritable(): boolean {
    return this.#state === "open" && !this.#writing;
  }

  /** How many requests have no reply yet. */
  get unanswered(): number {
    return this.#sent.size;
  }

  /** Writes the requests of these calls. */
  send(text: string, calls: readonly PendingCall[]): void {
    for (const call of calls) {
      call.markSent();
      this.#sent.set(call.id, call);
      if (call.method === VERSION_METHOD) this.target.markAsked();
    }
    this.#writing = true;
    this.#socket.write(text, "latin1", () => {
      this.#writing = false;
      if (this.#state === "open") this.#events.onReady();
    });
  }

  /** Cuts the connection: every call on it ends with `reason`. */
  async close(failure: "closed", reason: Error): Promise<void> {
    const closed = this.#socket.closed ? undefined : once(this.#socket, "close");
    this.#lose(reason, failure);
    await closed;
  }

  #receive(chunk: Buffer): void {
    if (this.#state === "gone") return;
    try {
      for (const text of this.#splitter.push(chunk)) for (const reply of parseReplies(text)) this.#answer(reply);
    } catch (cause) {
      this.#lose(cause, "protocol");
    }
  }

  #answer(reply: Reply): void {
    const call = this.#sent.get(reply.id);
    if (call === undefined) throw new SyntaxError(`a reply to request ${reply.id}, which is not open`);
    this.#sent.delete(reply.id);
    this.#answered = true;
    call.answer(reply, this.target.release);
    if (call.method !== VERSION_METHOD) return;
    this.target.learn("result" in reply ? reply.result : undefined);
    this.#events.onReady();
  }

  /** Ends every call that was sent; the first reason counts. */
  #lose(cause: unknown, kind: "lost" | "closed" | "protocol" = "lost"): void {
    if (this.#state === "gone") return;
    const wasOpen = this.#state === "open";
    this.#state = "gone";
    this.#socket.destroy();
    const detail = cause instanceof Error ? cause.message : String(cause);
    const reason = wasOpen ? `the connection to ${this.#uri} was lost` : `cannot connect to ${this.#uri}`;
    for (const call of this.#sent.values()) {
      const outcome = { maybeExecuted: true, cause };
      call.fail(
        kind === "protocol"
          ? new SpdkProtocolError(call.method, `${this.#uri} sent ${detail}`, outcome)
          : new SpdkConnectionError(call.method, kind, `${reason}: ${detail}`, outcome),
      );
    }
    this.#sent.clear();
    this.#events.onGone(new Error(`${reason}: ${detail}`, { cause }), this.#answered);
  }
}

function toConnectOptions(endpoint: SocketConnectionOptions["endpoint"]): NetConnectOpts {
  return endpoint.transport === "unix"
    ? { path: endpoint.path }
    : { host: endpoint.host, port: endpoint.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 };
}
