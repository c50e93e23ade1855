import { randomInt } from "node:crypto";

import type { Bdev } from "../bdev/bdev.ts";
import type { OpenBdev } from "../block/open-bdev.ts";
import type { OpenBdevs } from "../block/open-bdevs.ts";
import type { Key } from "../keyring.ts";
import type { Controller } from "../nvme-tcp/controller.ts";
import type { Port } from "../nvme-tcp/port.ts";
import { invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import type { AnaState } from "./ana-state.ts";
import type { ListenerAddress } from "./listener-address.ts";

/** Where a subsystem listens. */
export interface Listener {
  readonly address: ListenerAddress;
  /** The state of each ANA group, the first at index 0. */
  readonly anaStates: AnaState[];
  /** Where hosts come in; undefined until it is bound. */
  port: Port | undefined;
}

/** A bdev as a subsystem shows it. */
export interface Namespace {
  readonly nsid: number;
  readonly bdev: Bdev;
  readonly opened: OpenBdev;
  readonly uuid: string;
  readonly nguid: string;
  readonly eui64: string | undefined;
  readonly anagrpid: number;
  /** The hosts that see it, by their NQN. */
  readonly visibleTo: "everyone" | Set<string>;
}

/** What a namespace is told by; the rest has defaults. */
export interface NamespaceIds {
  readonly nsid: number | undefined;
  readonly uuid: string | undefined;
  readonly nguid: string | undefined;
  readonly eui64: string | undefined;
  readonly anagrpid: number | undefined;
  /** Whether only those hosts see it that are named by `showNamespace`. */
  readonly hidden: boolean;
}

/** The keys by which a host authenticates, and the controller to it. */
export interface HostKeys {
  readonly host: Key;
  readonly controller: Key | undefined;
}

/** A host that a subsystem admits; with keys it has to authenticate. */
export interface AllowedHost {
  readonly nqn: string;
  readonly keys: HostKeys | undefined;
}

/** What a subsystem is made with. */
export interface SubsystemOptions {
  readonly nqn: string;
  /** Default "NVMe". The other one tells hosts of all the rest (Base 2.0, 3.1.2.3). */
  readonly subtype?: "Discovery";
  readonly serialNumber: string;
  readonly modelNumber: string;
  readonly maxNamespaces: number;
  readonly minCntlid: number;
  readonly maxCntlid: number;
  readonly anaReporting: boolean;
  readonly adminLabel: string | undefined;
}

/** An NVMe-oF subsystem: what RPCs make of it, and the hosts that are connected. */
export class Subsystem {
  readonly options: SubsystemOptions;
  allowAnyHost: boolean;
  /** Whether nvmf_delete_subsystem has taken it away. */
  deleted = false;
  /** How often an ANA state changed, as the ANA log counts. */
  anaChanges = 0;
  readonly hosts: Map<string, AllowedHost> = new Map();
  /** The newest first, as targets list them. */
  readonly listeners: Listener[] = [];
  readonly namespaces: Map<number, Namespace> = new Map();
  /** Live associations, by controller id. */
  readonly controllers: Map<number, Controller> = new Map();
  #nextCntlid: number;

  constructor(options: SubsystemOptions, allowAnyHost: boolean) {
    this.options = options;
    this.allowAnyHost = allowAnyHost;
    // Linux takes a new path with the id of a controller that it still reconnects to for a duplicate: after a restart
    // of the target the first ids must not be those of before.
    this.#nextCntlid = randomInt(options.minCntlid, options.maxCntlid + 1);
  }

  get isDiscovery(): boolean {
    return this.options.subtype === "Discovery";
  }

  /** Whether a host may connect. */
  admits(hostNqn: string): boolean {
    return this.allowAnyHost || this.hosts.has(hostNqn);
  }

  /** A controller id that nobody has; undefined when all are taken. */
  allocateCntlid(): number | undefined {
    const { minCntlid, maxCntlid } = this.options;
    for (let tries = maxCntlid - minCntlid; tries >= 0; tries -= 1) {
      const cntlid = this.#nextCntlid;
      this.#nextCntlid = cntlid === maxCntlid ? minCntlid : cntlid + 1;
      if (!this.controllers.has(cntlid)) return cntlid;
    }
    return undefined;
  }

  /** Shows a bdev under a namespace id, the lowest free one unless given. A bdev can be in one subsystem only. */
  addNamespace(bdev: Bdev, bdevs: OpenBdevs, ids: NamespaceIds): number {
    let nsid = ids.nsid ?? 0;
    if (nsid === 0) for (nsid = 1; this.namespaces.has(nsid); nsid += 1);
    if (this.namespaces.has(nsid) || nsid > this.options.maxNamespaces || bdev.claim !== "none")
      throw invalidParameters();
    const uuid = ids.uuid ?? bdev.uuid;
    bdev.claim = "nvmf";
    const namespace: Namespace = {
      nsid,
      bdev,
      opened: bdevs.acquire(bdev),
      uuid,
      nguid: (ids.nguid ?? uuid.replaceAll("-", "")).toUpperCase(),
      eui64: ids.eui64?.toUpperCase(),
      anagrpid: ids.anagrpid ?? nsid,
      visibleTo: ids.hidden ? new Set() : "everyone",
    };
    this.namespaces.set(nsid, namespace);
    this.#tellNamespaceChanged(namespace);
    return nsid;
  }

  /** Takes a namespace away; it vanishes under whoever has it. */
  removeNamespace(nsid: number, bdevs: OpenBdevs): void {
    const namespace = this.namespaces.get(nsid);
    if (namespace === undefined) throw invalidParameters();
    namespace.bdev.claim = "none";
    this.namespaces.delete(nsid);
    bdevs.release(namespace.opened);
    this.#tellNamespaceChanged(namespace);
  }

  /** Shows a hidden namespace to a host, or hides it again. */
  showNamespace(nsid: number, hostNqn: string, shown: boolean): void {
    const visibleTo = this.namespaces.get(nsid)?.visibleTo ?? "everyone";
    if (visibleTo === "everyone") throw invalidParameters();
    if (shown) visibleTo.add(hostNqn);
    else visibleTo.delete(hostNqn);
    for (const controller of this.controllers.values())
      if (controller.hostNqn === hostNqn) controller.namespaceChanged(nsid);
  }

  /** A bdev is gone, and its namespace with it. */
  dropBdev(bdev: Bdev, bdevs: OpenBdevs): void {
    for (const { nsid, bdev: shown } of this.namespaces.values()) if (shown === bdev) this.removeNamespace(nsid, bdevs);
  }

  /** A bdev has another size. */
  resizeBdev(bdev: Bdev): void {
    for (const namespace of this.namespaces.values())
      if (namespace.bdev === bdev) this.#tellNamespaceChanged(namespace);
  }

  findListener({ traddr, trsvcid, trtype }: ListenerAddress): Listener | undefined {
    return this.listeners.find(
      ({ address }) => address.traddr === traddr && address.trsvcid === trsvcid && address.trtype === trtype,
    );
  }

  addListener(address: ListenerAddress, anaState: AnaState): Listener {
    const anaStates = Array.from({ length: this.options.maxNamespaces }, () => anaState);
    const listener: Listener = { address, anaStates, port: undefined };
    this.listeners.unshift(listener);
    return listener;
  }

  /** Takes a listener away and cuts who came in there. Its port is the caller's to release. */
  removeListener(listener: Listener): void {
    const at = this.listeners.indexOf(listener);
    if (at !== -1) this.listeners.splice(at, 1);
    this.#cut((controller) => controller.listener === listener);
  }

  /** Admits a host, or gives it other keys. */
  allowHost(host: AllowedHost): void {
    releaseKeys(this.hosts.get(host.nqn));
    this.hosts.set(host.nqn, host);
  }

  /** Takes a host off the list and cuts it, unless any host may connect; false when it was not there. */
  removeHost(hostNqn: string): boolean {
    releaseKeys(this.hosts.get(hostNqn));
    if (!this.hosts.delete(hostNqn)) return false;
    if (!this.allowAnyHost) this.#cut((controller) => controller.hostNqn === hostNqn);
    return true;
  }

  /** Sets a listener's ANA state for one group, or for all. */
  setAnaState(address: ListenerAddress, state: AnaState, group: number | undefined): void {
    const listener = this.findListener(address);
    const { anaReporting, maxNamespaces } = this.options;
    if (!anaReporting || listener === undefined || (group !== undefined && (group < 1 || group > maxNamespaces))) {
      throw new RpcError(-32603, "error setting ANA state: -22");
    }
    if (group === undefined) listener.anaStates.fill(state);
    else listener.anaStates[group - 1] = state;
    this.anaChanges += 1;
    for (const controller of this.controllers.values()) if (controller.listener === listener) controller.anaChanged();
  }

  /** Ends it: namespaces, hosts and connections go. Listeners stay for the caller to release. */
  delete(bdevs: OpenBdevs): void {
    this.deleted = true;
    this.#cut(() => true);
    for (const nsid of this.namespaces.keys()) this.removeNamespace(nsid, bdevs);
    for (const host of this.hosts.values()) releaseKeys(host);
    this.hosts.clear();
  }

  #cut(wanted: (controller: Controller) => boolean): void {
    for (const controller of this.controllers.values()) if (wanted(controller)) controller.destroy();
  }

  #tellNamespaceChanged(namespace: Namespace): void {
    for (const controller of this.controllers.values())
      if (controller.sees(namespace)) controller.namespaceChanged(namespace.nsid);
  }
}

/** Whether a bdev takes no writes: a snapshot, or what was set read-only. */
export function isReadOnly(bdev: Bdev): boolean {
  return bdev.readOnly === true;
}

function releaseKeys(host: AllowedHost | undefined): void {
  host?.keys?.host.release();
  host?.keys?.controller?.release();
}
