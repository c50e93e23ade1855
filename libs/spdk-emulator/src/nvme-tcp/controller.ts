import type { Listener, Namespace, Subsystem } from "../nvmf/subsystem.ts";
import { ANA_CHANGE, AsyncEvents, CHANGED_NAMESPACES_LOG, NAMESPACE_ATTRIBUTES } from "./async-events.ts";
import { AdminOpcode, type Command } from "./command.ts";
import type { Connection } from "./connection.ts";
import type { DataPlane } from "./data-plane.ts";
import { Features } from "./features.ts";
import { identify } from "./identify.ts";
import { readLogPage } from "./log-pages.ts";
import { Properties } from "./properties.ts";
import { type Reply, refuse, Status, SUCCESS, succeed } from "./reply.ts";
import type { TransportLimits } from "./transport-limits.ts";

/** A host may be this many times its keep-alive time late: a loaded machine must not lose its volumes. */
const KEEP_ALIVE_GRACE = 2;
/** Abort's result bit 0: not aborted, which a controller may always answer. */
const NOT_ABORTED = 1;

/** What a controller is made for. */
export interface ControllerOptions {
  readonly target: DataPlane;
  readonly subsystem: Subsystem;
  /** Where the host came in, with the ANA states that it sees there. */
  readonly listener: Listener;
  readonly cntlid: number;
  readonly hostNqn: string;
  /** 16 bytes. */
  readonly hostId: Buffer;
  readonly admin: Connection;
  readonly limits: TransportLimits;
}

/** One association of a host: its admin queue and I/O queues. It ends with the admin queue's connection. */
export class Controller {
  readonly target: DataPlane;
  readonly subsystem: Subsystem;
  readonly listener: Listener;
  readonly cntlid: number;
  readonly hostNqn: string;
  readonly hostId: Buffer;
  readonly admin: Connection;
  readonly limits: TransportLimits;
  /** Connections of I/O queues, by queue id. */
  readonly ioQueues: Map<number, Connection> = new Map();
  readonly events: AsyncEvents = new AsyncEvents();
  readonly properties: Properties;
  readonly #features = new Features();
  readonly #changedNamespaces = new Set<number>();
  #keepAliveMs = 0;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(options: ControllerOptions) {
    this.target = options.target;
    this.subsystem = options.subsystem;
    this.listener = options.listener;
    this.cntlid = options.cntlid;
    this.hostNqn = options.hostNqn;
    this.hostId = options.hostId;
    this.admin = options.admin;
    this.limits = options.limits;
    this.properties = new Properties(options.limits.maxQueueEntries, () => this.#disable());
    this.subsystem.controllers.set(this.cntlid, this);
  }

  get isDiscovery(): boolean {
    return this.subsystem.isDiscovery;
  }

  get keepAliveMs(): number {
    return this.#keepAliveMs;
  }

  /** Sets how often the host gives a sign of life (KATO, in ms; 0: never). Without one the association ends. */
  setKeepAlive(milliseconds: number): void {
    this.#keepAliveMs = milliseconds;
    clearTimeout(this.#keepAlive);
    this.#keepAlive = undefined;
    if (milliseconds === 0) return;
    const deadline = Math.min(KEEP_ALIVE_GRACE * milliseconds, 2 ** 31 - 1);
    // A target that hangs looks at no clock either.
    this.#keepAlive = setTimeout(() => (this.target.hanging ? this.sawTraffic() : this.destroy()), deadline).unref();
  }

  /** Any traffic is a sign of life: a host whose queues are full may be late with Keep Alive. */
  sawTraffic(): void {
    this.#keepAlive?.refresh();
  }

  /** Carries out a command of the admin queue. */
  executeAdmin(command: Command, data: Buffer): Reply | Promise<Reply> {
    switch (command.opcode) {
      case AdminOpcode.identify:
        return identify(this, command);
      case AdminOpcode.getLogPage:
        return readLogPage(this, command);
      case AdminOpcode.setFeatures:
        return this.#features.set(this, command, data);
      case AdminOpcode.getFeatures:
        return this.#features.get(this, command);
      case AdminOpcode.asyncEventRequest:
        return this.events.request();
      case AdminOpcode.keepAlive:
        return SUCCESS;
      case AdminOpcode.abort:
        return succeed(NOT_ABORTED);
      default:
        return refuse(Status.invalidOpcode);
    }
  }

  /** Whether the host sees a namespace. */
  sees({ visibleTo }: Namespace): boolean {
    return visibleTo === "everyone" || visibleTo.has(this.hostNqn);
  }

  /** The namespaces that the host sees. */
  get namespaces(): readonly Namespace[] {
    return [...this.subsystem.namespaces.values()].filter((namespace) => this.sees(namespace));
  }

  /** One of them. */
  findNamespace(nsid: number): Namespace | undefined {
    const namespace = this.subsystem.namespaces.get(nsid);
    return namespace !== undefined && this.sees(namespace) ? namespace : undefined;
  }

  /** A namespace came, went or changed its size. */
  namespaceChanged(nsid: number): void {
    this.#changedNamespaces.add(nsid);
    this.events.raise(NAMESPACE_ATTRIBUTES);
  }

  anaChanged(): void {
    this.events.raise(ANA_CHANGE);
  }

  /** Namespaces that changed since the host last asked. */
  get changedNamespaces(): readonly number[] {
    return [...this.#changedNamespaces].toSorted((a, b) => a - b);
  }

  /** The host has read a log without asking to retain its event. */
  logRead(logPage: number): void {
    if (logPage === CHANGED_NAMESPACES_LOG) this.#changedNamespaces.clear();
    this.events.logRead(logPage);
  }

  /** Ends the association: every connection closes. */
  destroy(): void {
    if (this.subsystem.controllers.get(this.cntlid) !== this) return;
    this.subsystem.controllers.delete(this.cntlid);
    clearTimeout(this.#keepAlive);
    this.admin.destroy();
    for (const connection of this.ioQueues.values()) connection.destroy();
  }

  #disable(): void {
    this.events.reset();
    for (const connection of this.ioQueues.values()) connection.destroy();
  }
}
