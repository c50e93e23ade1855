import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";

import type { ConnectionCounters, Counters } from "../faults/counters.ts";
import type { RpcService } from "./connection.ts";
import type { Caller } from "./dispatcher.ts";
import { JsonReader } from "./json-reader.ts";
import { isFields } from "./json-value.ts";
import type { Polled } from "./poller.ts";

/**
 * JSON-RPC over HTTP with basic authentication, as the proxy that comes with SPDK (rpc_http_proxy.py) offers it: an RPC
 * error has status 200, and what has no single reply gets no bytes at all. Unlike the proxy it serves clients side by side.
 */
export function createHttpServer(
  service: RpcService,
  credentials: { readonly username: string; readonly password: string },
  counters: Counters,
): Server {
  const expected = digest(`Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`);
  const isAllowed = ({ headers }: IncomingMessage): boolean =>
    timingSafeEqual(digest(headers.authorization ?? ""), expected);
  return createServer((request) => {
    const { socket } = request;
    readBody(request).then(
      (body) => {
        if (request.method === "HEAD") respond(socket, "200 OK");
        else if (request.method !== "POST") respondUnsupported(socket, request.method ?? "");
        else if (!isAllowed(request)) respond(socket, "401 Unauthorized", "WWW-Authenticate: text/html\r\n");
        else if (body === undefined) socket.destroy();
        else new ProxiedRequest(socket, body, service, counters.open("http")).begin();
      },
      () => socket.destroy(),
    );
  });
}

/** One request that the proxy forwards over a connection of its own. */
class ProxiedRequest implements Polled, Caller {
  readonly counters: ConnectionCounters;
  readonly #socket: Socket;
  readonly #service: RpcService;
  readonly #body: string;
  #state: "waiting" | "sent" = "waiting";
  #reply: string | undefined;

  constructor(socket: Socket, body: string, service: RpcService, counters: ConnectionCounters) {
    this.#socket = socket;
    this.#body = body;
    this.#service = service;
    this.counters = counters;
    socket.on("close", () => {
      service.poller.remove(this);
      counters.close();
    });
  }

  begin(): void {
    const { poller } = this.#service;
    poller.add(this);
    if (poller.immediate) this.poll();
  }

  close(): void {
    this.#socket.destroy();
  }

  poll(): void {
    if (this.#reply !== undefined) this.#respond(this.#reply);
    if (this.#state === "sent") return;
    this.#state = "sent";
    this.#send();
  }

  #send(): void {
    this.counters.received(this.#body.length);
    const { version } = this.#service;
    const message =
      this.#body.length > version.maxRequestBytes ? undefined : parse(this.#body, version.maxRequestValues);
    if (this.#body.length > version.maxRequestBytes) this.close();
    else if (message === undefined) respond(this.#socket, "500 Internal Server Error");
    else this.#forward(message);
  }

  #forward(message: unknown): void {
    const { dispatcher, poller } = this.#service;
    const awaited = isFields(message) && message["id"] !== undefined;
    // The proxy takes what is not ASCII for garbage, when the target has it already.
    const ascii = Buffer.byteLength(this.#body) === this.#body.length;
    dispatcher.dispatch(message, this, (reply) => {
      if (!awaited || !ascii || reply === undefined) return;
      this.#reply = reply;
      if (poller.immediate) this.#respond(reply);
    });
    if (!ascii) respond(this.#socket, "500 Internal Server Error");
    else if (!awaited) this.close();
  }

  #respond(reply: string): void {
    this.counters.sent(reply.length);
    respond(this.#socket, "200 OK", "", reply);
  }
}

/** The only value of a body; undefined for anything else. */
function parse(body: string, maxValues: number): unknown {
  try {
    return new JsonReader(`${body} `, maxValues).next(0)?.value;
  } catch {
    return undefined;
  }
}

/** Answers as Python's HTTP server does: HTTP/1.0, no length, and the connection ends. */
function respond(socket: Socket, status: string, headers = "", body = ""): void {
  const date = new Date().toUTCString();
  const head = `HTTP/1.0 ${status}\r\nServer: BaseHTTP/0.6 Python/3.11.2\r\nDate: ${date}\r\n`;
  socket.end(`${head}${headers}Content-type: text/html\r\n\r\n${body}`);
}

function respondUnsupported(socket: Socket, method: string): void {
  const message = `Unsupported method ('${method}')`;
  const body = `<!DOCTYPE HTML>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <title>Error response</title>
    </head>
    <body>
        <h1>Error response</h1>
        <p>Error code: 501</p>
        <p>Message: ${message}.</p>
        <p>Error code explanation: 501 - Server does not support this operation.</p>
    </body>
</html>
`;
  const headers = `Connection: close\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: ${body.length}\r\n`;
  const head = `HTTP/1.0 501 ${message}\r\nServer: BaseHTTP/0.6 Python/3.11.2\r\nDate: ${new Date().toUTCString()}\r\n`;
  socket.end(`${head}${headers}\r\n${body}`);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The body as latin1; undefined when the request does not say how long it is. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const { headers } = request;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const announced = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  return announced ? Buffer.concat(chunks).toString("latin1") : undefined;
}
