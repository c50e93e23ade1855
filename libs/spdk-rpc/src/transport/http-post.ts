import { Readable } from "node:stream";

import type { Dispatcher, Pool } from "undici";

import type { TlsOptions } from "../call-options.ts";
import { JsonSplitter } from "../json/json-splitter.ts";
import type { Endpoint } from "./endpoint.ts";
import { parseReplies, type Reply } from "./reply.ts";

/** Where to post, and the bounds of an exchange. */
export interface HttpPosterOptions {
  readonly endpoint: Extract<Endpoint, { transport: "http" }>;
  readonly uri: string;
  readonly tls: TlsOptions | undefined;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly maxReplyBytes: number;
}

/** What came back. */
export interface HttpAnswer {
  readonly replies: readonly Reply[];
  /** Whether it came from this package's own proxy, which takes batches; the one that SPDK ships answers nothing. */
  readonly takesBatches: boolean;
}

/** How the proxy of this package names itself in the `Server` header. */
export const PROXY_SERVER_NAME = "spdk-rpc-proxy";

/** Why an exchange failed, before it is known for which calls. */
export class HttpFailure extends Error {
  readonly kind: "unreachable" | "refused" | "lost" | "protocol";

  constructor(kind: HttpFailure["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Posts JSON to an HTTP proxy. */
export class HttpPoster {
  readonly #options: HttpPosterOptions;
  #pool: Pool | undefined;

  constructor(options: HttpPosterOptions) {
    this.#options = options;
  }

  /**
   * Posts a text. `onSend` is called when there is a connection and the first byte is about to leave; what it throws
   * stops that.
   *
   * @throws HttpFailure "unreachable" when nothing left, "refused" for wrong credentials, "lost" and "protocol" when
   * the request may have run; or what `onSend` threw.
   */
  async post(text: string, onSend: () => void): Promise<HttpAnswer> {
    const { endpoint, uri } = this.#options;
    const pool = await this.#open();
    const { authorization } = endpoint;
    let stopped: { readonly reason: unknown } | undefined;
    let left = false;
    // Read from only when there is a connection and the head of the request is about to be written to it.
    const body = new Readable({
      read() {
        try {
          onSend();
        } catch (reason) {
          stopped = { reason };
          this.destroy(new Error("stopped"));
          return;
        }
        left = true;
        this.push(text);
        this.push(null);
      },
    });
    try {
      const response = await pool.request({
        method: "POST",
        path: endpoint.path,
        headers: {
          "content-type": "application/json",
          "content-length": String(text.length),
          ...(authorization === undefined ? {} : { authorization }),
        },
        body,
      });
      return await this.#read(response);
    } catch (cause) {
      if (stopped !== undefined) throw stopped.reason;
      if (cause instanceof HttpFailure) throw cause;
      throw left
        ? new HttpFailure("lost", `the connection to ${uri} was lost: ${messageOf(cause)}`, { cause })
        : new HttpFailure("unreachable", `cannot connect to ${uri}: ${messageOf(cause)}`, { cause });
    }
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
  }

  async #read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<HttpAnswer> {
    const { uri, maxReplyBytes } = this.#options;
    const bytes = await this.#collect(body);
    if (statusCode === 401) throw new HttpFailure("refused", `${uri} refused user name and password (HTTP 401)`);
    if (statusCode !== 200) {
      throw new HttpFailure("protocol", `${uri} sent HTTP status ${statusCode} instead of a reply${excerpt(bytes)}`);
    }
    if (bytes.length === 0) throw new HttpFailure("protocol", `${uri} sent an empty answer`);
    try {
      const [text, ...more] = new JsonSplitter({ maxBytes: maxReplyBytes }).push(bytes);
      if (text === undefined || more.length > 0) throw new SyntaxError("something other than one JSON text");
      const takesBatches = String(headers["server"] ?? "").startsWith(PROXY_SERVER_NAME);
      return { replies: parseReplies(text), takesBatches };
    } catch (cause) {
      throw new HttpFailure("protocol", `${uri} sent ${messageOf(cause)}`, { cause });
    }
  }

  async #collect(body: AsyncIterable<Buffer>): Promise<Buffer> {
    const { uri, maxReplyBytes } = this.#options;
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > maxReplyBytes) throw new HttpFailure("protocol", `${uri} sent more than ${maxReplyBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** Loaded by the first call: a client of a socket needs no HTTP. */
  async #open(): Promise<Pool> {
    if (this.#pool !== undefined) return this.#pool;
    const { endpoint, connectTimeoutMs, connections, tls } = this.#options;
    try {
      // The default export is the one that bundlers keep of a CommonJS module.
      const { Pool } = (await import("undici")).default;
      this.#pool ??= new Pool(endpoint.origin, {
        connections,
        // Connections are kept where the proxy keeps them.
        pipelining: 1,
        connect: { timeout: connectTimeoutMs, ...toTlsSettings(tls) },
        // The call has the deadline; a request that was sent is waited for.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      return this.#pool;
    } catch (cause) {
      throw new HttpFailure("unreachable", "HTTP needs the package undici and Node.js 22.19 or later", { cause });
    }
  }
}

function toTlsSettings({ ca, cert, key, servername }: TlsOptions = {}): Record<string, string | Buffer> {
  const pem = { ca, cert, key };
  const given = Object.entries(pem).flatMap(([name, value]): [string, string | Buffer][] =>
    value === undefined ? [] : [[name, typeof value === "string" ? value : Buffer.from(value)]],
  );
  return { ...Object.fromEntries(given), ...(servername === undefined ? {} : { servername }) };
}

function excerpt(bytes: Buffer): string {
  const text = bytes.toString("utf8", 0, 200).trim();
  return text === "" ? "" : `: ${text}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
