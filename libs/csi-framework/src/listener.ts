import { chmod, chown } from "node:fs/promises";
import { type AddressInfo, createServer, type ListenOptions, type Socket } from "node:net";
import type { Duplex } from "node:stream";

import { type Server, ServerCredentials } from "@grpc/grpc-js";

import { clearSocketPath, type Endpoint } from "./endpoint.ts";
import { RewrittenSocket } from "./rewritten-socket.ts";

/** An open endpoint. */
export interface Listener {
  /** "unix:///path" or "tcp://host:port" with the real port. */
  readonly endpoint: string;
  /** Accepts no more connections and, for a socket, removes it. Settles when those that are open have ended. */
  stop(): Promise<void>;
}

/** Who may use a socket. */
export interface SocketOptions {
  /** Permission bits, such as 0o660. Default: as the process's umask says. */
  readonly mode?: number;
  /** Default: who the process runs as. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Opens `endpoint` and hands its connections to `server`. The listener is ours, since only so it is known when the last
 * connection has ended: grpc-js takes a session that is closing for one that is closed.
 */
export async function listen(server: Server, endpoint: Endpoint, socket: SocketOptions = {}): Promise<Listener> {
  if (endpoint.kind === "unix") {
    await clearSocketPath(endpoint.path);
    const { stop } = await open(server, { path: endpoint.path }, (accepted) => new RewrittenSocket(accepted));
    if (socket.owner !== undefined) await chown(endpoint.path, socket.owner.uid, socket.owner.gid);
    if (socket.mode !== undefined) await chmod(endpoint.path, socket.mode);
    return { endpoint: `unix://${endpoint.path}`, stop };
  }
  const [, host = "", port] = /^(.*):(\d+)$/.exec(endpoint.address) ?? [];
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const { stop, address } = await open(server, { host: bare, port: Number(port) }, (accepted) => accepted);
  const bound = typeof address === "object" && address !== null ? address.port : Number(port);
  return { endpoint: `tcp://${host}:${bound}`, stop };
}

async function open(
  server: Server,
  where: ListenOptions,
  wrap: (socket: Socket) => Duplex,
): Promise<{ readonly stop: () => Promise<void>; readonly address: AddressInfo | string | null }> {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createServer({ allowHalfOpen: true }, (socket) => injector.injectConnection(wrap(socket)));
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(where, () => {
      listener.off("error", reject);
      resolve();
    });
  });
  // Node removes the socket as it closes.
  return { address: listener.address(), stop: () => new Promise((resolve) => listener.close(() => resolve())) };
}
