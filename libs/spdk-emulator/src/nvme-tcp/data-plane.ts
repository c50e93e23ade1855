import type { ListenerAddress } from "../nvmf/listener-address.ts";
import type { Subsystem } from "../nvmf/subsystem.ts";
import { Port } from "./port.ts";
import { readTransportLimits, type TransportLimits } from "./transport-limits.ts";

/** What hosts reach over NVMe/TCP: the ports, and behind them the target's subsystems. */
export class DataPlane {
  readonly subsystems: ReadonlyMap<string, Subsystem>;
  /** The revision of the firmware: SPDK's version. */
  readonly firmware: string;
  /** Counts changes of what discovery tells. */
  generation = 0;
  /** What nvmf_get_stats tells: queues that hosts have connected so far, and I/O that has ended. */
  readonly counts: { adminQueues: number; ioQueues: number; commands: number } = {
    adminQueues: 0,
    ioQueues: 0,
    commands: 0,
  };
  #hanging = false;
  readonly #transports: ReadonlyMap<string, object>;
  readonly #ports = new Map<string, Port>();
  #lastPortId = 0;

  /** Serves subsystems by their NQN, within the limits of the TCP transport. `firmware` is what controllers name. */
  constructor({
    subsystems,
    transports,
    firmware,
  }: {
    subsystems: ReadonlyMap<string, Subsystem>;
    transports: ReadonlyMap<string, object>;
    firmware: string;
  }) {
    this.subsystems = subsystems;
    this.#transports = transports;
    this.firmware = firmware;
  }

  /** Whether hosts hear nothing of the target, though they are connected. */
  get hanging(): boolean {
    return this.#hanging;
  }

  setHanging(hanging: boolean): void {
    this.#hanging = hanging;
    for (const port of this.#ports.values()) port.setHanging(hanging);
  }

  limits(): TransportLimits {
    return readTransportLimits(this.#transports.get("TCP"));
  }

  find(nqn: string): Subsystem | undefined {
    return this.subsystems.get(nqn);
  }

  /** The port at an address, bound if it is not yet. Rejects when the system does not give it. Each user releases it. */
  async listen(address: ListenerAddress): Promise<Port> {
    const key = keyOf(address);
    let port = this.#ports.get(key);
    if (port === undefined) {
      this.#lastPortId += 1;
      port = new Port(this, this.#lastPortId, address);
      this.#ports.set(key, port);
    }
    port.users += 1;
    try {
      await port.opened;
    } catch (error) {
      this.#ports.delete(key);
      throw error;
    }
    this.generation += 1;
    return port;
  }

  /** Gives a port back; the last user closes it. */
  async release(port: Port): Promise<void> {
    port.users -= 1;
    this.generation += 1;
    if (port.users > 0) return;
    this.#ports.delete(keyOf(port.address));
    await port.close();
  }

  /** Closes every port. */
  async close(): Promise<void> {
    const ports = [...this.#ports.values()];
    this.#ports.clear();
    await Promise.all(ports.map((port) => port.close()));
  }
}

function keyOf({ traddr, trsvcid }: ListenerAddress): string {
  return `${traddr} ${trsvcid}`;
}
