import { Server } from "@grpc/grpc-js";

import { checkDrivers } from "./check-drivers.ts";
import type { CsiError } from "./csi-error.ts";
import { CsiDriver } from "./driver.ts";
import { parseEndpoint } from "./endpoint.ts";
import { SERVICES, type ServiceName } from "./gen/rpcs.ts";
import { grpcHandlers, type Handling } from "./grpc-handlers.ts";
import type { Interceptor } from "./interceptor.ts";
import { KeyedLocks } from "./keyed-locks.ts";
import { listen } from "./listener.ts";
import { lockCalls } from "./lock-calls.ts";
import { logCalls } from "./log-calls.ts";
import { jsonLogger, type Logger } from "./logger.ts";
import { Shutdown } from "./shutdown.ts";
import { translateErrors } from "./translate-errors.ts";

/** How `serve` listens and behaves. */
export interface ServeOptions {
  /** "unix:///path", "unix:/path" or "/path" for a socket, "tcp://host:port" for TCP (port 0: any free one). */
  readonly endpoint: string;
  /** Default: JSON lines on stderr at level "info". */
  readonly logger?: Logger;
  /** Whether SIGTERM and SIGINT close the server, draining it. Default false. */
  readonly signals?: boolean;
  /** How long `close` waits for calls in flight and held work before it cuts them off. Default 30,000. */
  readonly drainTimeoutMs?: number;
  /** Run inside the log and around all else, the first outermost; they see errors as CsiErrors. Default none. */
  readonly interceptors?: readonly Interceptor[];
  /** Translates what a driver throws; undefined for what it does not know, which becomes INTERNAL. */
  readonly mapError?: (error: unknown) => CsiError | undefined;
}

/** A plugin that serves. */
export interface CsiServer extends AsyncDisposable {
  /** Where it listens: "unix:///path" or "tcp://host:port" with the real port. */
  readonly endpoint: string;
  /** Stops accepting calls, removes the socket, waits for calls in flight and held work. May be called again. */
  close(): Promise<void>;
  /** Settles when the server has closed, for whatever reason. */
  readonly closed: Promise<void>;
}

/**
 * Serves one plugin made of `drivers` on `endpoint`. Each RPC goes to the first driver that implements it; capabilities
 * are the union; name and version are the first one's; Probe asks all. Throws a TypeError when the drivers contradict
 * CSI (half of a pair, a feature without its method) or the endpoint cannot be read, and an Error when it cannot be had.
 */
export async function serve(drivers: CsiDriver | readonly CsiDriver[], options: ServeOptions): Promise<CsiServer> {
  const parts = drivers instanceof CsiDriver ? [drivers] : drivers;
  checkDrivers(parts);
  const endpoint = parseEndpoint(options.endpoint);
  const logger = options.logger ?? jsonLogger(process.stderr);
  const server = new Server();
  const shutdown = new Shutdown(server, { logger, drainTimeoutMs: options.drainTimeoutMs ?? 30_000 });
  const errors = translateErrors(options.mapError ?? (() => undefined));
  const handling: Handling = {
    drivers: parts,
    logger,
    outer: [logCalls, errors, ...(options.interceptors ?? []), errors],
    inner: [lockCalls(new KeyedLocks())],
    track: (work) => shutdown.waitFor(work),
  };
  const services = Object.keys(SERVICES) as ServiceName[];
  for (const name of services) server.addService(SERVICES[name], grpcHandlers(name, handling));
  const listener = await listen(server, endpoint);
  const close = (): Promise<void> => shutdown.run(listener);
  if (options.signals) shutdown.onSignals(close);
  return { endpoint: listener.endpoint, close, closed: shutdown.done, [Symbol.asyncDispose]: close };
}
