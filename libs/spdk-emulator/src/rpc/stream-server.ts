import { createServer, type Server, type Socket } from "node:net";

import type { Counters } from "../faults/counters.ts";
import { Connection, type RpcService } from "./connection.ts";

/** A target serves this many connections; further ones connect and hear nothing until another closes. */
const MAX_CONNECTIONS = 64;

/** Counts the connections of all listeners together, and has the others wait. */
export class ConnectionLimit {
  readonly #served = new Set<Socket>();
  readonly #waiting = new Map<Socket, () => void>();

  /** Calls `begin` when there is room. */
  add(socket: Socket, begin: () => void): void {
    socket.on("close", () => {
      this.#served.delete(socket);
      this.#waiting.delete(socket);
      this.#admit();
    });
    this.#waiting.set(socket, begin);
    this.#admit();
  }

  #admit(): void {
    for (const [socket, begin] of this.#waiting) {
      if (this.#served.size >= MAX_CONNECTIONS) return;
      this.#waiting.delete(socket);
      this.#served.add(socket);
      begin();
    }
  }
}

/** A server of JSON-RPC over a stream. */
export function createStreamServer(service: RpcService, limit: ConnectionLimit, counters: Counters): Server {
  return createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    limit.add(socket, () => new Connection(socket, service, counters.open("stream")));
  });
}
