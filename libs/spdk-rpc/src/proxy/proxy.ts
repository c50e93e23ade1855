import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";

import { connect, type SpdkClient } from "../client.ts";
import { PROXY_SERVER_NAME } from "../transport/http-post.ts";
import { createAuthenticator, type ProxyCredentials } from "./authenticate.ts";
import { answerBody } from "./json-rpc.ts";
import { createMethodFilter } from "./method-filter.ts";
import { BodyTooLarge, readBody } from "./read-body.ts";

/** Certificates of a proxy that speaks HTTPS, in PEM. */
export interface ProxyTlsOptions {
  /** The proxy's certificate and, behind it, those that vouch for it. */
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** Who vouches for clients: where it is given, a client without such a certificate is turned away. */
  readonly clientCa?: string | Uint8Array;
}

/** How a proxy is started. */
export interface ProxyOptions {
  /** Where the target is: every URI that `connect` takes. */
  readonly target: string;
  /** The name or address to listen on. */
  readonly host: string;
  /** The port to listen on; 0 for any that is free. */
  readonly port: number;
  /** Who may come in: at least one. */
  readonly credentials: readonly ProxyCredentials[];
  /** HTTPS instead of HTTP. */
  readonly tls?: ProxyTlsOptions;
  /** The methods that may be called, with `*` for any characters: `bdev_lvol_*`; all of them by default. */
  readonly allow?: readonly string[];
  /** The most bytes of a request; 262,144 by default, which is what a target takes. */
  readonly maxBodyBytes?: number;
  /** How long a target may take for a call, in milliseconds; 120,000 by default. */
  readonly callTimeoutMs?: number;
  /** How long a client may take to send a request, in milliseconds; 30,000 by default. */
  readonly requestTimeoutMs?: number;
  /** How long an idle connection is kept, in milliseconds; 60,000 by default. */
  readonly keepAliveMs?: number;
  /** How long {@link SpdkProxy.close} waits for calls under way, in milliseconds; 10,000 by default. */
  readonly closeTimeoutMs?: number;
  /** The most connections to the target; 1 by default, over which calls are pipelined. */
  readonly connections?: number;
}

/** A running proxy. */
export interface SpdkProxy extends AsyncDisposable {
  /** Where it listens, without credentials. */
  readonly uri: string;
  /** Takes no more connections, ends the calls under way within the bound, and lets go of the target. */
  close(): Promise<void>;
}

/**
 * Starts an HTTP proxy in front of a target, in place of SPDK's `rpc_http_proxy.py`: clients are served side by side
 * over kept connections, batches and notifications are answered, and `GET /healthz` says whether the target answers.
 *
 * JSON-RPC errors come with status 200. 400: not JSON-RPC; 401: wrong user or password; 413: too large; 502: no
 * connection to the target; 504: no answer from it in time; these have a JSON-RPC error as their body, too.
 *
 * @throws SpdkUriError for the target's URI, RangeError without credentials, the system's error when it cannot listen.
 */
export async function startProxy(options: ProxyOptions): Promise<SpdkProxy> {
  const { host, port, tls, closeTimeoutMs = 10_000 } = options;
  if (options.credentials.length === 0) throw new RangeError("a proxy needs at least one user with a password");
  const client = connect(options.target, {
    timeoutMs: options.callTimeoutMs ?? 120_000,
    connections: options.connections ?? 1,
    parameters: "verbatim",
  });
  const serve = createRequestListener(client, options);
  const settings = {
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    headersTimeout: Math.min(options.requestTimeoutMs ?? 30_000, 10_000),
    keepAliveTimeout: options.keepAliveMs ?? 60_000,
    connectionsCheckingInterval: 1_000,
  };
  const server: Server =
    tls === undefined ? createHttpServer(settings, serve) : createHttpsServer({ ...settings, ...toTls(tls) }, serve);
  try {
    server.listen({ host, port });
    await once(server, "listening");
  } catch (error) {
    await client.close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= shutDown(server, closeTimeoutMs).then(() => client.close());
    return closing;
  };
  return { uri: uriOf(server, host, tls), close, [Symbol.asyncDispose]: close };
}

function createRequestListener(
  client: SpdkClient,
  options: ProxyOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const isAuthentic = createAuthenticator(options.credentials);
  const isAllowed = createMethodFilter(options.allow);
  const { maxBodyBytes = 262_144 } = options;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader("server", PROXY_SERVER_NAME);
    if (request.method === "GET" && request.url === "/healthz") return answerHealth(client, response);
    // The proxy that SPDK ships answers HEAD so, without a look at who asks.
    if (request.method === "HEAD") return end(response, 200);
    if (request.method !== "POST") return end(response.setHeader("allow", "POST, HEAD"), 405, "only POST is served");
    if (!isAuthentic(request.headers.authorization)) {
      response.setHeader("www-authenticate", 'Basic realm="SPDK"').setHeader("connection", "close");
      return end(response, 401, "wrong user or password");
    }
    try {
      const { status, body } = await answerBody(await readBody(request, maxBodyBytes), { client, isAllowed });
      response.setHeader("content-type", "application/json");
      end(response, status, body);
    } catch (error) {
      if (!(error instanceof BodyTooLarge)) throw error;
      end(response.setHeader("connection", "close"), 413, error.message);
    }
  };
  return (request, response) => {
    // What fails here is the client's connection, which has no one left to be told.
    answer(request, response).catch(() => response.destroy());
  };
}

async function answerHealth(client: SpdkClient, response: ServerResponse): Promise<void> {
  try {
    await client.call("spdk_get_version", undefined, { timeoutMs: 2_000 });
    end(response, 200, "ok\n");
  } catch (error) {
    end(response, 503, `${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function end(response: ServerResponse, status: number, body = ""): void {
  response.writeHead(status, { "content-length": Buffer.byteLength(body) }).end(body);
}

async function shutDown(server: Server, timeoutMs: number): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearTimeout(timer);
}

function toTls({ cert, key, clientCa }: ProxyTlsOptions): object {
  const pem = (text: string | Uint8Array): string | Buffer => (typeof text === "string" ? text : Buffer.from(text));
  const mutual = clientCa === undefined ? {} : { ca: pem(clientCa), requestCert: true, rejectUnauthorized: true };
  return { cert: pem(cert), key: pem(key), minVersion: "TLSv1.2", ...mutual };
}

function uriOf(server: Server, host: string, tls: ProxyTlsOptions | undefined): string {
  const { port } = server.address() as AddressInfo;
  return `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
