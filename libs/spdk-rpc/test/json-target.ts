import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

import { JsonSplitter } from "../src/json-splitter.ts";

/** A request as a target sees it. */
export interface SeenRequest {
  readonly id: number;
  readonly method: string;
  readonly params?: unknown;
  /** Answers with a result. */
  reply(result: unknown): void;
  /** Answers with an error. */
  refuse(code: number, message: string): void;
  readonly socket: Socket;
}

/** A JSON-RPC server on a real socket whose answers the test decides on. */
export interface JsonTarget extends AsyncDisposable {
  readonly uri: string;
  readonly requests: readonly SeenRequest[];
  /** What arrived, chunk by chunk as it was read. */
  readonly chunks: readonly string[];
  readonly connections: number;
  /** Resolves once so many requests have come. */
  received(count: number): Promise<void>;
}

/** Starts a target, on TCP or on a unix socket's path. */
export async function startTarget(handle: (request: SeenRequest) => void, path?: string): Promise<JsonTarget> {
  const requests: SeenRequest[] = [];
  const chunks: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let notify = (): void => undefined;

  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    const splitter = new JsonSplitter();
    const send = (message: object): void => {
      socket.write(JSON.stringify({ jsonrpc: "2.0", ...message }));
    };
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk.toString());
      for (const text of splitter.push(chunk)) {
        const message = JSON.parse(text) as { id: number; method: string; params?: unknown };
        const { id } = message;
        const request: SeenRequest = {
          ...message,
          reply: (result) => send({ id, result }),
          refuse: (code, reason) => send({ id, error: { code, message: reason } }),
          socket,
        };
        requests.push(request);
        notify();
        handle(request);
      }
    });
  });
  server.listen(path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
  await once(server, "listening");

  return {
    uri: path === undefined ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${path}`,
    requests,
    chunks,
    get connections() {
      return connections;
    },
    received: (count) =>
      new Promise((resolve) => {
        notify = () => {
          if (requests.length >= count) resolve();
        };
        notify();
      }),
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
