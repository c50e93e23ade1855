import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

import { JsonSplitter } from "../src/json/json-splitter.ts";

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
  /** The requests and batches as they were written. */
  readonly texts: readonly string[];
  readonly connections: number;
  /** Resolves once so many requests have come. */
  received(count: number): Promise<void>;
}

type Message = { readonly id: number; readonly method: string; readonly params?: unknown };

/** Starts a target, on TCP or on a unix socket's path. */
export async function startTarget(handle: (request: SeenRequest) => void, path?: string): Promise<JsonTarget> {
  const requests: SeenRequest[] = [];
  const chunks: string[] = [];
  const texts: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let notify = (): void => undefined;

  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    const splitter = new JsonSplitter();
    const send = (message: object): void => {
      socket.write(JSON.stringify(message));
    };
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk.toString());
      for (const text of splitter.push(chunk)) {
        texts.push(text);
        const parsed = JSON.parse(text) as Message | Message[];
        const answers: object[] = [];
        const isBatch = Array.isArray(parsed);
        const messages = isBatch ? parsed : [parsed];
        const answer = (message: object): void => {
          if (!isBatch) send({ jsonrpc: "2.0", ...message });
          else if (answers.push({ jsonrpc: "2.0", ...message }) === messages.length) send(answers);
        };
        for (const message of messages) {
          const { id } = message;
          const request: SeenRequest = {
            ...message,
            reply: (result) => answer({ id, result }),
            refuse: (code, reason) => answer({ id, error: { code, message: reason } }),
            socket,
          };
          requests.push(request);
          notify();
          handle(request);
        }
      }
    });
  });
  server.listen(path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
  await once(server, "listening");

  return {
    uri: path === undefined ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${path}`,
    requests,
    chunks,
    texts,
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
