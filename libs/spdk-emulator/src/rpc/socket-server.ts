import { createServer, type Server, type Socket } from "node:net";

import type { Dispatcher } from "./dispatcher.ts";
import { countValues, parseJson, stringifyJson } from "./json.ts";
import { RequestSplitter } from "./request-splitter.ts";

/** SPDK serves this many connections; further ones connect and hear nothing until another closes. */
const MAX_CONNECTIONS = 64;

/** Limits of a version, and how often the target looks at its sockets. */
export interface SocketServerOptions {
  readonly maxRequestBytes: number;
  readonly maxRequestValues: number;
  readonly pollMs: number;
}

/** A server of JSON-RPC over a stream. Malformed or too large requests close the connection without a reply. */
export function createSocketServer(dispatcher: Dispatcher, options: SocketServerOptions): Server {
  const served = new Set<Socket>();
  const waiting: Socket[] = [];
  const begin = (socket: Socket): void => {
    served.add(socket);
    serve(socket, dispatcher, options);
    socket.resume();
  };
  return createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      served.delete(socket);
      const at = waiting.indexOf(socket);
      if (at !== -1) waiting.splice(at, 1);
      const next = served.size < MAX_CONNECTIONS ? waiting.shift() : undefined;
      if (next !== undefined) begin(next);
    });
    if (served.size < MAX_CONNECTIONS) begin(socket);
    else waiting.push(socket);
  });
}

function serve(
  socket: Socket,
  dispatcher: Dispatcher,
  { maxRequestBytes, maxRequestValues, pollMs }: SocketServerOptions,
): void {
  const splitter = new RequestSplitter(maxRequestBytes);
  const answer = async (text: string): Promise<void> => {
    const message = parseJson(text);
    if (countValues(message) > maxRequestValues) throw new RangeError("too many values");
    const reply = await dispatcher.answer(message);
    if (reply !== undefined && !socket.destroyed) socket.write(`${stringifyJson(reply)}\n`);
  };
  const take = (chunk: Buffer): void => {
    try {
      for (const text of splitter.push(chunk)) answer(text).catch(() => socket.destroy());
    } catch {
      socket.destroy();
    }
  };
  if (pollMs === 0) {
    socket.on("data", take);
    return;
  }
  let pending: Buffer[] = [];
  const timer = setInterval(() => {
    const chunks = pending;
    pending = [];
    if (chunks.length > 0) take(Buffer.concat(chunks));
  }, pollMs);
  socket.on("data", (chunk) => pending.push(chunk));
  socket.on("close", () => clearInterval(timer));
}
