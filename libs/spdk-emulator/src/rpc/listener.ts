import { lstatSync, unlinkSync } from "node:fs";
import { connect, type ListenOptions, type Server, type Socket } from "node:net";

import type { ListenAddress } from "./listen-address.ts";

/** An address on which a target listens. */
export class Listener {
  readonly #address: ListenAddress;
  readonly #create: () => Server;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port: number;

  constructor(address: ListenAddress, create: () => Server) {
    this.#address = address;
    this.#create = create;
    this.#port = address.kind === "unix" ? 0 : address.port;
  }

  /** Where it listens: the real port, no credentials. */
  get uri(): string {
    if (this.#address.kind === "unix") return `unix://${this.#address.path}`;
    const { kind, host } = this.#address;
    return `${kind}://${host.includes(":") ? `[${host}]` : host}:${this.#port}`;
  }

  /** Begins to listen; again, on the same port, after {@link refuse}. */
  async listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = this.#create();
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    if (this.#address.kind === "unix") await removeStaleSocket(this.#address.path);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#options(), () => {
        server.off("error", reject);
        resolve();
      });
    });
    const bound = server.address();
    if (typeof bound === "object" && bound !== null) this.#port = bound.port;
    this.#server = server;
  }

  #options(): ListenOptions {
    if (this.#address.kind === "unix") return { path: this.#address.path };
    return { host: this.#address.host, port: this.#port };
  }

  /** Takes no connections any more; those that are there go on. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      if (server === undefined) resolve();
      else server.close(() => resolve());
    });
    this.cut();
    await closed;
  }
}

/** Removes the socket of a target that died; one that answers, and anything that is no socket, is left and refused. */
async function removeStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`${path} is there and is no socket: remove it or listen elsewhere`);
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
  if (answers) throw new Error(`${path} is another target's: stop it or listen elsewhere`);
  unlinkSync(path);
}
