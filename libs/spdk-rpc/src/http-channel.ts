import type { Agent } from "undici";

import type { Address } from "./address.ts";
import type { Channel, Reply, Request } from "./channel.ts";
import { SpdkConnectionError, SpdkProtocolError } from "./errors.ts";
import { parseJson } from "./json.ts";

/**
 * Calls over SPDK's HTTP proxy, one after the other: the proxy is single-threaded, and only so do calls arrive in the
 * order in which they were made.
 */
export class HttpChannel implements Channel {
  readonly #address: Address & { readonly kind: "http" };
  readonly #connectTimeoutMs: number;
  #agent: Agent | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(address: Address & { readonly kind: "http" }, connectTimeoutMs: number) {
    this.#address = address;
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  send(request: Request): Promise<Reply> {
    const sent = this.#tail.then(() => this.#post(request));
    this.#tail = sent.catch(() => undefined);
    return sent;
  }

  async close(): Promise<void> {
    await this.#agent?.destroy();
    this.#agent = undefined;
  }

  async #post({ method, text }: Request): Promise<Reply> {
    const { url, display, username, password } = this.#address;
    const undici = await import("undici");
    // The proxy may close after any reply; a connection of its own for each call cannot meet a half-closed one.
    this.#agent ??= new undici.Agent({
      pipelining: 0,
      connect: { timeout: this.#connectTimeoutMs },
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const credentials = Buffer.from(`${username}:${password}`).toString("base64");
    const headers = {
      "content-type": "application/json",
      ...(username !== "" && { authorization: `Basic ${credentials}` }),
    };
    let status: number;
    let body: string;
    try {
      const response = await undici.request(url, { method: "POST", headers, body: text, dispatcher: this.#agent });
      status = response.statusCode;
      body = await response.body.text();
    } catch (cause) {
      const reached = !(cause instanceof Error && "code" in cause && UNREACHED.has(String(cause.code)));
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SpdkConnectionError(method, `cannot reach ${display}: ${why}`, { maybeExecuted: reached, cause });
    }
    if (status === 401) {
      throw new SpdkConnectionError(method, `${display} refused the user name or password`, { maybeExecuted: false });
    }
    if (status !== 200)
      throw new SpdkConnectionError(method, `${display} answered HTTP ${status}`, { maybeExecuted: true });
    return parseReply(method, display, body);
  }
}

const UNREACHED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function parseReply(method: string, display: string, body: string): Reply {
  let reply: unknown;
  try {
    reply = parseJson(body);
  } catch (cause) {
    throw new SpdkProtocolError(method, `${display} sent no JSON-RPC`, { maybeExecuted: true, cause });
  }
  if (typeof reply === "object" && reply !== null) return reply;
  throw new SpdkProtocolError(method, `${display} sent no JSON-RPC reply`, { maybeExecuted: true });
}
