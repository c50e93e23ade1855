import { once } from "node:events";
import { createServer, type Server } from "node:net";

import type { ListenerAddress } from "../nvmf/listener-address.ts";
import { Connection } from "./connection.ts";
import type { DataPlane } from "./data-plane.ts";

/** A TCP port on which subsystems listen. It closes with the last of them. */
export class Port {
  /** As the discovery log numbers it. */
  readonly id: number;
  readonly address: ListenerAddress;
  /** How many subsystems listen here. */
  users = 0;
  /** Rejects when the system does not give the port. */
  readonly opened: Promise<void>;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();

  constructor(target: DataPlane, id: number, address: ListenerAddress) {
    this.id = id;
    this.address = address;
    this.#server = createServer((socket) => {
      const connection = new Connection(socket, this, target);
      this.#connections.add(connection);
      if (target.hanging) connection.setHanging(true);
      socket.on("close", () => this.#connections.delete(connection));
    });
    this.opened = this.#open();
  }

  /** Cuts every connection; from now on TCP is refused. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  setHanging(hanging: boolean): void {
    for (const connection of this.#connections) connection.setHanging(hanging);
  }

  async #open(): Promise<void> {
    const { traddr, trsvcid, adrfam } = this.address;
    this.#server.listen({ host: traddr, port: Number(trsvcid), ipv6Only: adrfam === "IPv6" });
    await once(this.#server, "listening");
    // A later error concerns one connection that could not be accepted.
    this.#server.on("error", () => undefined);
  }
}
