import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { isFields } from "./decode.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { parseJson, stringifyJson } from "./json.ts";

const MAX_BODY_BYTES = 262_144;

/** JSON-RPC over HTTP with basic authentication, as the HTTP proxy that comes with SPDK offers it. */
export function createHttpServer(
  dispatcher: Dispatcher,
  credentials: { readonly username: string; readonly password: string },
): Server {
  const expected = digest(`Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`);
  return createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    // The proxy closes after each reply.
    response.setHeader("connection", "close");
    if (request.method !== "POST") return end(response, 501);
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), expected)) return end(response, 401);
    let message: unknown;
    try {
      message = parseJson(body ?? "");
    } catch {
      return end(response, 500);
    }
    // What has no single reply gets no bytes at all.
    if (body === undefined || !isFields(message) || message["id"] === undefined) return void response.destroy();
    const reply = stringifyJson(await dispatcher.answer(message));
    response
      .writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(reply) })
      .end(reply);
  }
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "text/html" }).end();
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size <= MAX_BODY_BYTES) chunks.push(bytes);
  }
  return size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString();
}
