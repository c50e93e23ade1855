import { Server } from "@grpc/grpc-js";
import { Registry } from "prom-client";

import type { CsiDriver } from "./driver.ts";
import { parseEndpoint } from "./endpoint.ts";
import { SERVICES, type ServiceName } from "./gen/rpcs.ts";
import { addHealthService, addReflectionService } from "./grpc-extras.ts";
import { grpcHandlers } from "./grpc-handlers.ts";
import { createHealthChecks } from "./health-checks.ts";
import { serveHttp } from "./http-endpoint.ts";
import { type KubeletOptions, registerWithKubelet } from "./kubelet-registration.ts";
import { listen, type SocketOptions } from "./listener.ts";
import { jsonLogger, type Logger } from "./logger.ts";
import { createPlugin, type PluginOptions, toDrivers } from "./plugin.ts";
import { Shutdown } from "./shutdown.ts";

/** How `serve` listens and behaves. */
export interface ServeOptions extends PluginOptions {
  /** "unix:///path", "unix:/path" or "/path" for a socket, "tcp://host:port" for TCP (port 0: any free one). */
  readonly endpoint: string;
  /** Who may use the endpoint, where it is a socket. Default: as the process's umask says. */
  readonly socket?: SocketOptions;
  /** Default: JSON lines on stderr at level "info". */
  readonly logger?: Logger;
  /** Whether SIGTERM and SIGINT close the server, draining it. Default false. */
  readonly signals?: boolean;
  /** How long `close` waits for calls in flight and held work before it cuts them off. Default 30,000. */
  readonly drainTimeoutMs?: number;
  /**
   * Where to serve /metrics, /healthz and /readyz over HTTP: "host:port", or ":port" for all addresses. /healthz asks
   * the driver's Probe, as the livenessprobe sidecar does. Default: nowhere.
   */
  readonly http?: string;
  /** Makes a node plugin known to kubelet, so that it needs no node-driver-registrar. Default: not. */
  readonly kubelet?: KubeletOptions;
  /** Offers gRPC's health service (`grpc.health.v1.Health`). Default false. */
  readonly health?: boolean;
  /** Offers gRPC's server reflection, for tools such as grpcurl. Default false. */
  readonly reflection?: boolean;
}

/** A plugin that serves. */
export interface CsiServer extends AsyncDisposable {
  /** Where it listens: "unix:///path" or "tcp://host:port" with the real port. */
  readonly endpoint: string;
  /** Where it serves HTTP: "http://host:port" with the real port; undefined where it does not. */
  readonly httpUrl: string | undefined;
  /** Stops accepting calls, removes the socket, waits for calls in flight and held work. May be called again. */
  close(): Promise<void>;
  /** Settles when the server has closed, for whatever reason. */
  readonly closed: Promise<void>;
}

/**
 * Serves one plugin made of `drivers` on `endpoint`. Each RPC goes to the first driver that implements it; capabilities
 * are the union; name and version are the first one's; Probe asks all. Throws a TypeError when the drivers contradict
 * CSI (half of a pair, a feature without its method) or an address cannot be read, and an Error when it cannot be had.
 */
export async function serve(drivers: CsiDriver | readonly CsiDriver[], options: ServeOptions): Promise<CsiServer> {
  const parts = toDrivers(drivers);
  const endpoint = parseEndpoint(options.endpoint);
  const logger = options.logger ?? jsonLogger(process.stderr);
  const metrics = options.metrics ?? (options.http === undefined ? undefined : new Registry());
  const server = new Server();
  const shutdown = new Shutdown(server, { logger, drainTimeoutMs: options.drainTimeoutMs ?? 30_000 });
  const track = (work: Promise<unknown>): void => shutdown.waitFor(work);
  const pipeline = createPlugin(parts, logger, track, { ...options, ...(metrics === undefined ? {} : { metrics }) });
  const services = Object.keys(SERVICES) as ServiceName[];
  for (const name of services) server.addService(SERVICES[name], grpcHandlers(name, pipeline));
  if (options.health) shutdown.onStart(await addHealthService(server));
  if (options.reflection) await addReflectionService(server);

  const listener = await listen(server, endpoint, options.socket);
  const close = (): Promise<void> => shutdown.run(listener);
  try {
    const name = parts[0]?.pluginInfo.name ?? "";
    const kubelet = options.kubelet && (await registerWithKubelet(name, options.kubelet, logger));
    if (kubelet !== undefined) shutdown.onStart(() => kubelet.close());
    const checks = createHealthChecks(pipeline, { isClosing: () => shutdown.isRunning, kubelet });
    const http =
      options.http === undefined || metrics === undefined
        ? undefined
        : await serveHttp({ address: options.http, metrics, ...checks });
    if (http !== undefined) shutdown.onEnd(() => http.close());
    if (options.signals) shutdown.onSignals(close);
    const { endpoint: bound } = listener;
    return { endpoint: bound, httpUrl: http?.url, close, closed: shutdown.done, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
