import { createServer, type Socket } from "node:net";

import { type Server, ServerCredentials } from "@grpc/grpc-js";

import { clearSocketPath, type Endpoint } from "./endpoint.ts";
import { RewrittenSocket } from "./rewritten-socket.ts";

/** An open endpoint. */
export interface Listener {
  /** "unix:///path" or "tcp://host:port" with the real port. */
  readonly endpoint: string;
  /** Accepts no more connections and, for a socket, removes it. Connections that are open stay. */
  stop(): void;
}

/** Opens `endpoint` and hands its connections to `server`. */
export async function listen(server: Server, endpoint: Endpoint): Promise<Listener> {
  return endpoint.kind === "unix" ? listenOnSocket(server, endpoint.path) : listenOnPort(server, endpoint.address);
}

function listenOnPort(server: Server, address: string): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error !== null) return reject(error);
      // The server itself lets go of the port when it shuts down.
      resolve({ endpoint: `tcp://${address.replace(/:\d+$/, `:${port}`)}`, stop() {} });
    });
  });
}

async function listenOnSocket(server: Server, path: string): Promise<Listener> {
  await clearSocketPath(path);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const accept = (socket: Socket): void => injector.injectConnection(new RewrittenSocket(socket));
  const listener = createServer({ allowHalfOpen: true }, accept);
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(path, () => {
      listener.off("error", reject);
      resolve();
    });
  });
  // Node removes the socket as it closes.
  return { endpoint: `unix://${path}`, stop: () => void listener.close() };
}
