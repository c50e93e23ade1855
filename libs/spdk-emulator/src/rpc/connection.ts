import type { Socket } from "node:net";

import type { ConnectionCounters } from "../faults/counters.ts";
import type { Version } from "../version.ts";
import type { Caller, Dispatcher } from "./dispatcher.ts";
import type { Polled, Poller } from "./poller.ts";
import { RequestStream } from "./request-stream.ts";

/** Where a connection finds what it serves. */
export interface RpcService {
  readonly version: Version;
  readonly poller: Poller;
  readonly dispatcher: Dispatcher;
}

/** One client of a stream socket. Malformed and too large requests close it without a word, with what was due. */
export class Connection implements Polled, Caller {
  readonly counters: ConnectionCounters;
  readonly #socket: Socket;
  readonly #service: RpcService;
  readonly #stream: RequestStream;
  #received: Buffer[] = [];
  #replies = "";
  #pending = 0;
  #ended = false;
  #reading = false;

  constructor(socket: Socket, service: RpcService, counters: ConnectionCounters) {
    this.#socket = socket;
    this.#service = service;
    this.counters = counters;
    this.#stream = new RequestStream(service.version);
    socket.on("data", (chunk: Buffer) => {
      this.#received.push(chunk);
      if (service.poller.immediate) this.poll();
    });
    socket.on("end", () => {
      this.#ended = true;
      if (service.poller.immediate) this.poll();
    });
    socket.on("close", () => {
      service.poller.remove(this);
      counters.close();
    });
    service.poller.add(this);
    socket.resume();
  }

  /** Sends the replies that are there, then reads what has come. */
  poll(): void {
    this.#flush();
    this.#read();
    if (this.#service.poller.immediate) this.#flush();
    if (this.#ended) this.#halfClosed();
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(): void {
    if (this.#received.length === 0) return;
    const chunk = this.#received.length === 1 ? this.#received[0] : Buffer.concat(this.#received);
    this.#received = [];
    if (chunk === undefined) return;
    this.counters.received(chunk.length);
    this.#reading = true;
    try {
      for (const message of this.#stream.push(chunk)) {
        this.#pending += 1;
        this.#service.dispatcher.dispatch(message, this, (reply) => this.#reply(reply));
      }
    } catch {
      this.#socket.destroy();
    }
    this.#reading = false;
  }

  #reply(reply: string | undefined): void {
    this.#pending -= 1;
    if (reply !== undefined) this.#replies += reply;
    if (this.#service.poller.immediate && !this.#reading) {
      this.#flush();
      if (this.#ended) this.#halfClosed();
    }
  }

  #flush(): void {
    if (this.#replies === "" || this.#socket.destroyed) return;
    const text = this.#replies;
    this.#replies = "";
    // Replies are ASCII: latin1 is the fastest way to bytes.
    this.#socket.write(text, "latin1");
    this.counters.sent(text.length);
  }

  #halfClosed(): void {
    const due = this.#pending > 0 || this.#replies !== "";
    if (this.#service.version.halfClose === "sends replies" && due) return;
    this.#socket.end(() => this.#socket.destroy());
  }
}
