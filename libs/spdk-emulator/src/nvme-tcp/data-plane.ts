import { type ListenerAddress, Subsystem } from "../nvmf/subsystem.ts";
import { Port } from "./port.ts";
import { readTransportLimits, type TransportLimits } from "./transport-limits.ts";

/** The subsystem that tells hosts of the others (Base 2.0, 3.1.2.3). */
export const DISCOVERY_NQN = "nqn.2014-08.org.nvmexpress.discovery";

/** What hosts reach over NVMe/TCP: the ports, and behind them the target's subsystems. */
export class DataPlane {
  readonly subsystems: ReadonlyMap<string, Subsystem>;
  readonly discovery: Subsystem;
  /** Counts changes of what discovery tells. */
  generation = 0;
  #hanging = false;
  readonly #transports: ReadonlyMap<string, object>;
  readonly #ports = new Map<string, Port>();
  #lastPortId = 0;

  /** Serves subsystems by their NQN, within the limits of the TCP transport. */
  constructor(subsystems: ReadonlyMap<string, Subsystem>, transports: ReadonlyMap<string, object>) {
    this.subsystems = subsystems;
    this.#transports = transports;
    const options = {
      nqn: DISCOVERY_NQN,
      serialNumber: "00000000000000000000",
      modelNumber: "SPDK Discovery",
      maxNamespaces: 0,
      minCntlid: 1,
      maxCntlid: 65519,
      anaReporting: false,
      adminLabel: undefined,
    };
    this.discovery = new Subsystem(options, true);
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
    return nqn === DISCOVERY_NQN ? this.discovery : this.subsystems.get(nqn);
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
