import type { ConnectOptions } from "../call-options.ts";
import { MAX_CONNECTIONS } from "../versions/request-limits.ts";
import { Backoff } from "./backoff.ts";
import type { ParsedUri } from "./endpoint.ts";
import { HttpTransport } from "./http-transport.ts";
import { PooledTransport } from "./pooled-transport.ts";
import { SocketTransport } from "./socket-transport.ts";
import type { Transport, TransportOptions } from "./transport.ts";

/** The transport that an endpoint needs. @throws RangeError when an option is out of range. */
export function createTransport(
  { endpoint, uri }: ParsedUri,
  options: ConnectOptions,
  nextId: () => number,
): Transport {
  const { connections = 1, connectTimeoutMs = 5_000, maxReplyBytes = 64 * 1024 * 1024, tls, reconnect } = options;
  if (!Number.isInteger(connections) || connections < 1 || connections > MAX_CONNECTIONS) {
    throw new RangeError(`connections is ${connections}: a target serves 1 to ${MAX_CONNECTIONS}`);
  }
  const silent = (): void => undefined;
  const shared: TransportOptions = {
    uri,
    connectTimeoutMs,
    maxReplyBytes,
    nextId,
    onStateChange: options.onStateChange ?? silent,
  };
  if (endpoint.transport === "http") {
    return new HttpTransport({ ...shared, endpoint, tls, connections }, new Backoff(reconnect));
  }
  if (connections === 1) return new SocketTransport({ ...shared, endpoint }, new Backoff(reconnect));
  return new PooledTransport({
    connections,
    connectTimeoutMs,
    nextId,
    create: (first) =>
      new SocketTransport(
        first ? { ...shared, endpoint } : { ...shared, endpoint, onStateChange: silent },
        new Backoff(reconnect),
      ),
  });
}
