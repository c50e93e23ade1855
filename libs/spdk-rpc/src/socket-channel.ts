import { connect, type Socket } from "node:net";

import type { Address } from "./address.ts";
import type { Channel, Reply, Request } from "./channel.ts";
import { SpdkConnectionError, SpdkProtocolError } from "./errors.ts";
import { parseJson } from "./json.ts";
import { JsonSplitter } from "./json-splitter.ts";

interface Waiting {
  readonly method: string;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** Where the connection stands. It opens with the first call, and again with the first call after a loss. */
type State = { readonly kind: "closed" } | Opened;

interface Opened {
  kind: "connecting" | "open";
  readonly socket: Socket;
  readonly waiting: Map<number, Waiting>;
}

/** Calls over one stream, pipelined: each is written at once, and replies find theirs by id. */
export class SocketChannel implements Channel {
  readonly #address: Address & { readonly kind: "socket" };
  readonly #connectTimeoutMs: number;
  #state: State = { kind: "closed" };

  constructor(address: Address & { readonly kind: "socket" }, connectTimeoutMs: number) {
    this.#address = address;
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  send({ id, method, text }: Request): Promise<Reply> {
    const { socket, waiting } = this.#opened();
    return new Promise<Reply>((resolve, reject) => {
      waiting.set(id, { method, resolve, reject });
      socket.write(`${text}\n`);
    });
  }

  async close(): Promise<void> {
    if (this.#state.kind === "closed") return;
    const { socket } = this.#state;
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.destroy();
    await closed;
  }

  #opened(): Opened {
    if (this.#state.kind !== "closed") return this.#state;
    const socket = connect(this.#address.connect);
    const waiting = new Map<number, Waiting>();
    const splitter = new JsonSplitter();
    let cause: unknown;
    const state: Opened = { kind: "connecting", socket, waiting };
    this.#state = state;

    socket.setNoDelay(true);
    socket.setTimeout(this.#connectTimeoutMs, () =>
      socket.destroy(new Error(`no connection within ${this.#connectTimeoutMs} ms`)),
    );
    socket.on("connect", () => {
      socket.setTimeout(0);
      state.kind = "open";
    });
    socket.on("data", (chunk) => {
      try {
        for (const message of splitter.push(chunk)) deliver(parseJson(message), waiting);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on("error", (error) => {
      cause = error;
    });
    socket.on("close", () => {
      if (this.#state === state) this.#state = { kind: "closed" };
      for (const [id, each] of waiting) {
        waiting.delete(id);
        each.reject(this.#lost(each.method, state.kind, cause));
      }
    });
    return state;
  }

  #lost(method: string, kind: "connecting" | "open", cause: unknown): Error {
    const where = this.#address.display;
    const why = cause instanceof Error ? cause.message : "the target closed the connection";
    if (cause instanceof SyntaxError) {
      return new SpdkProtocolError(method, `${where} sent no JSON-RPC: ${why}`, { maybeExecuted: true, cause });
    }
    const what = kind === "open" ? `lost ${where} during the call: ${why}` : `cannot reach ${where}: ${why}`;
    return new SpdkConnectionError(method, what, { maybeExecuted: kind === "open", cause });
  }
}

/** Gives a reply to whoever waits for it. Late replies to calls that ended meanwhile find nobody, and are dropped. */
function deliver(message: unknown, waiting: Map<number, Waiting>): void {
  const reply: Reply & { readonly id?: unknown } = typeof message === "object" && message !== null ? message : {};
  if (typeof reply.id !== "number") throw new SyntaxError("a reply without an id that was sent");
  const call = waiting.get(reply.id);
  waiting.delete(reply.id);
  call?.resolve(reply);
}
