import { setTimeout } from "node:timers/promises";

import type { Key } from "../keyring.ts";
import { AdminOpcode, FABRICS_OPCODE, FabricsType } from "../nvme-tcp/command.ts";
import type { AnaState } from "../nvmf/ana-state.ts";
import type { ListenerAddress } from "../nvmf/listener-address.ts";
import { authenticate } from "./host-authentication.ts";
import type { HostCommand, HostReply } from "./host-command.ts";
import { ConnectionLost, HostQueue, QUEUE_COMMANDS } from "./host-queue.ts";
import {
  type ControllerIdentity,
  type NamespaceIdentity,
  readActiveNamespaces,
  readAnaStates,
  readControllerIdentity,
  readNamespaceIdentity,
} from "./read-identity.ts";

/** Where a controller is, and as whom this target connects to it. */
export interface PathOptions {
  readonly address: ListenerAddress;
  readonly subsystemNqn: string;
  readonly hostNqn: string;
  /** 16 bytes. */
  readonly hostId: Buffer;
  readonly hostKey: Key | undefined;
  readonly controllerKey: Key | undefined;
}

/** A path as bdev_nvme_get_controllers tells of it. */
export type PathState = "enabled" | "failed" | "resetting" | "deleting";

const ANY_CONTROLLER = 0xffff;
const CONNECT_DATA_BYTES = 1024;
const NO_FLOW_CONTROL = 1 << 18;
const AUTHENTICATION_REQUIRED = 1 << 17;
const PROPERTY = { cc: 0x14, csts: 0x1c } as const;
/** I/O queue entries of 64 and 16 bytes, enabled. */
const ENABLE = 0x460001;
const CSTS_READY = 1;
const READY_EVERY_MS = 10;
const READY_WITHIN_MS = 10_000;
const KEEP_ALIVE_MS = 10_000;
const FEATURE_ASYNC_EVENTS = 0x0b;
/** Namespace attributes and ANA changes. */
const WANTED_EVENTS = 0x900;
const CNS = { namespace: 0, controller: 1, activeNamespaces: 2, descriptors: 3 } as const;
const LOG = { changedNamespaces: 0x04, ana: 0x0c } as const;
/** Of what Identify gives, and the list of changed namespaces. */
const PAGE_BYTES = 4096;

/** One association with a controller: an admin queue and an I/O queue. */
export class ControllerPath {
  readonly options: PathOptions;
  state: PathState = "resetting";
  /** Of the association that is or was the last. */
  cntlid = 0;
  identity: ControllerIdentity | undefined;
  anaStates: ReadonlyMap<number, AnaState> = new Map();
  /** Told that namespaces have come, gone or grown. */
  onNamespaces: () => void = () => undefined;
  /** Told that the association has ended without {@link disconnect}. */
  onLost: () => void = () => undefined;
  #admin: HostQueue | undefined;
  #io: HostQueue | undefined;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(options: PathOptions) {
    this.options = options;
  }

  /** Connects, authenticates and identifies. Rejects when the other side does not want that. */
  async connect(): Promise<void> {
    this.disconnect();
    const { address } = this.options;
    try {
      const admin = await HostQueue.open(address);
      this.#admin = admin;
      this.cntlid = await this.#connectQueue(admin, 0, ANY_CONTROLLER);
      await this.#enable(admin);
      this.identity = readControllerIdentity(await this.#identify(CNS.controller, 0));
      await this.#admit({ opcode: AdminOpcode.setFeatures, dwords: [FEATURE_ASYNC_EVENTS, WANTED_EVENTS] });
      const io = await HostQueue.open(address);
      this.#io = io;
      await this.#connectQueue(io, 1, this.cntlid);
      for (const queue of [admin, io]) queue.onEnd = () => this.#ended(queue);
      this.#keepAlive = setInterval(() => void this.#beat(admin), KEEP_ALIVE_MS / 2).unref();
      void this.#listen(admin);
      this.state = "enabled";
    } catch (error) {
      this.disconnect();
      throw error;
    }
  }

  /** Ends the association. */
  disconnect(): void {
    clearInterval(this.#keepAlive);
    const queues = [this.#admin, this.#io];
    this.#admin = undefined;
    this.#io = undefined;
    for (const queue of queues) queue?.destroy();
  }

  /** Sends an I/O command. Rejects as ConnectionLost. */
  async io(command: HostCommand): Promise<HostReply> {
    if (this.#io === undefined) throw new ConnectionLost("not connected");
    return this.#io.send(command);
  }

  /** The namespaces that the host sees there. */
  async namespaces(): Promise<readonly NamespaceIdentity[]> {
    const found: NamespaceIdentity[] = [];
    for (const nsid of readActiveNamespaces(await this.#identify(CNS.activeNamespaces, 0))) {
      const [data, descriptors] = [
        await this.#identify(CNS.namespace, nsid),
        await this.#identify(CNS.descriptors, nsid),
      ];
      found.push(readNamespaceIdentity(nsid, data, descriptors));
    }
    return found;
  }

  /** Asks again how the other side wants its paths used. */
  async refreshAna(): Promise<void> {
    if (this.identity?.anaReporting !== true) return;
    const { anaLogBytes, maxTransferBytes } = this.identity;
    this.anaStates = readAnaStates(await this.#readLog(LOG.ana, Math.min(anaLogBytes, maxTransferBytes)));
  }

  /** Connect, and what the controller asks for before it takes commands. The controller's id. */
  async #connectQueue(queue: HostQueue, qid: number, cntlid: number): Promise<number> {
    const { hostId, hostNqn, subsystemNqn, hostKey, controllerKey } = this.options;
    const data = Buffer.alloc(CONNECT_DATA_BYTES);
    hostId.copy(data, 0);
    data.writeUInt16LE(cntlid, 16);
    data.write(subsystemNqn, 256);
    data.write(hostNqn, 512);
    const { status, result } = await queue.send({
      opcode: FABRICS_OPCODE,
      fabricsType: FabricsType.connect,
      dwords: [qid << 16, QUEUE_COMMANDS | NO_FLOW_CONTROL, qid === 0 ? KEEP_ALIVE_MS : 0],
      write: data,
      inCapsule: true,
    });
    if (status !== 0) throw new Error(`Connect: status 0x${status.toString(16)}`);
    if ((result & AUTHENTICATION_REQUIRED) !== 0) {
      await authenticate(queue, {
        hostNqn,
        subsystemNqn,
        hostSecret: hostKey?.secret(),
        controllerSecret: controllerKey?.secret(),
      });
    } else if (controllerKey !== undefined) throw new Error("the controller asks for no authentication");
    return result & 0xffff;
  }

  async #enable(admin: HostQueue): Promise<void> {
    const { status } = await admin.send({
      opcode: FABRICS_OPCODE,
      fabricsType: FabricsType.propertySet,
      dwords: [0, PROPERTY.cc, ENABLE],
    });
    const deadline = performance.now() + READY_WITHIN_MS;
    for (let ready = status === 0; ready; await setTimeout(READY_EVERY_MS)) {
      const { result } = await admin.send({
        opcode: FABRICS_OPCODE,
        fabricsType: FabricsType.propertyGet,
        dwords: [0, PROPERTY.csts],
      });
      if ((result & CSTS_READY) !== 0) return;
      ready = performance.now() < deadline;
    }
    throw new Error("the controller does not become ready");
  }

  async #identify(cns: number, nsid: number): Promise<Buffer> {
    const command = { opcode: AdminOpcode.identify, nsid, dwords: [cns], readBytes: PAGE_BYTES };
    return (await this.#admit(command)).data;
  }

  async #readLog(page: number, readBytes: number): Promise<Buffer> {
    const dwords = [page | ((readBytes / 4 - 1) << 16)];
    return (await this.#admit({ opcode: AdminOpcode.getLogPage, dwords, readBytes })).data;
  }

  /** Sends a command to the admin queue that has to go well. */
  async #admit(command: HostCommand): Promise<HostReply> {
    if (this.#admin === undefined) throw new ConnectionLost("not connected");
    const reply = await this.#admin.send(command);
    if (reply.status !== 0) throw new Error(`opcode ${command.opcode}: status 0x${reply.status.toString(16)}`);
    return reply;
  }

  /** A controller that misses a beat is lost: what it has in hand will not come back. */
  async #beat(admin: HostQueue): Promise<void> {
    const late = globalThis.setTimeout(() => admin.destroy(), KEEP_ALIVE_MS).unref();
    try {
      await admin.send({ opcode: AdminOpcode.keepAlive });
    } catch {
      // Its end has been told.
    } finally {
      clearTimeout(late);
    }
  }

  /** Follows what the controller has to tell, until the association ends. */
  async #listen(admin: HostQueue): Promise<void> {
    try {
      for (;;) {
        const { status, result } = await admin.send({ opcode: AdminOpcode.asyncEventRequest });
        if (status !== 0) return;
        const page = (result >>> 16) & 0xff;
        if (page === LOG.ana) await this.refreshAna();
        else if (page === LOG.changedNamespaces) {
          await this.#readLog(page, PAGE_BYTES);
          this.onNamespaces();
        }
      }
    } catch {
      // The association has ended, which is told elsewhere.
    }
  }

  #ended(queue: HostQueue): void {
    if (queue !== this.#admin && queue !== this.#io) return;
    this.disconnect();
    this.onLost();
  }
}
