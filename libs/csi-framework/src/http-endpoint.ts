import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

import type { Registry } from "prom-client";

/** What a health check found: nothing, or what is wrong. */
export type Health = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** What is served over HTTP. */
export interface HttpEndpointOptions {
  /** "host:port", or ":port" for all addresses; port 0 for any free one. */
  readonly address: string;
  readonly metrics: Registry;
  /** Whether the process works: a liveness probe restarts it when not. */
  readonly healthy: () => Promise<Health>;
  /** Whether it can serve calls now. */
  readonly ready: () => Promise<Health>;
}

/** A running HTTP endpoint. */
export interface HttpEndpoint {
  /** "http://host:port" with the real port. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves /metrics in Prometheus' format, /healthz and /readyz. Throws a TypeError for an address that is none. */
export async function serveHttp({ address, metrics, healthy, ready }: HttpEndpointOptions): Promise<HttpEndpoint> {
  const match = /^(\[[^\]]+\]|[^:]*):(\d{1,5})$/.exec(address);
  if (match === null || Number(match[2]) > 65_535) {
    throw new TypeError(`http is "${address}": write host:port, or :port for all addresses`);
  }
  const answers: Readonly<Record<string, () => Promise<HttpAnswer>>> = {
    "/metrics": async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() }),
    "/healthz": () => answerHealth(healthy),
    "/readyz": () => answerHealth(ready),
  };
  const listener: RequestListener = (request, response) => {
    const answer = answers[new URL(request.url ?? "/", "http://localhost").pathname];
    if (request.method !== "GET" || answer === undefined) {
      response.writeHead(answer === undefined ? 404 : 405).end();
      return;
    }
    answer().then(
      ({ status, type, body }) => response.writeHead(status, { "content-type": type }).end(body),
      () => response.writeHead(500).end(),
    );
  };
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, listener);
  const [, hostPart = "", portPart = "0"] = match;
  const bare = hostPart.replace(/^\[(.*)\]$/, "$1");
  server.listen({ port: Number(portPart), ...(bare === "" ? {} : { host: bare }) });
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${hostPart === "" ? "localhost" : hostPart}:${bound}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function answerHealth(check: () => Promise<Health>): Promise<HttpAnswer> {
  const health = await check();
  const type = "text/plain; charset=utf-8";
  return health.ok ? { status: 200, type, body: "ok\n" } : { status: 503, type, body: `${health.reason}\n` };
}
