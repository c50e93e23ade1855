import type { Bdev } from "../bdev/bdev.ts";
import { invalidParameters, RpcError } from "../rpc/rpc-error.ts";

/** States that a listener's ANA groups can be in. */
export const ANA_STATES = ["optimized", "non_optimized", "inaccessible"] as const;

/** Where a subsystem listens. */
export interface Listener {
  readonly address: {
    readonly trtype: string;
    readonly adrfam: string;
    readonly traddr: string;
    readonly trsvcid: string;
  };
  /** The state of each ANA group, the first at index 0. */
  readonly anaStates: string[];
}

/** A bdev as a subsystem shows it. */
export interface Namespace {
  readonly nsid: number;
  readonly bdev: Bdev;
  readonly uuid: string;
  readonly nguid: string;
  readonly eui64: string | undefined;
  readonly anagrpid: number;
}

/** A host that a subsystem admits, with the names of its keys. */
export interface AllowedHost {
  readonly nqn: string;
  dhchap_key?: string;
  dhchap_ctrlr_key?: string;
}

/** What a subsystem is made with. */
export interface SubsystemOptions {
  readonly nqn: string;
  readonly serialNumber: string;
  readonly modelNumber: string;
  readonly maxNamespaces: number;
  readonly minCntlid: number;
  readonly maxCntlid: number;
  readonly anaReporting: boolean;
  readonly adminLabel: string | undefined;
}

const NQN = /^nqn\.\d{4}-\d{2}\.[A-Za-z0-9](?:[A-Za-z0-9-]*(?:\.[A-Za-z0-9][A-Za-z0-9-]*)*):.+$/;
const UUID_NQN = /^nqn\.2014-08\.org\.nvmexpress:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const UUID_NQN_PREFIX = "nqn.2014-08.org.nvmexpress:uuid:";
const MAX_NQN_BYTES = 223;

/** Whether SPDK takes a text as an NQN. */
export function isNqn(text: string): boolean {
  if (Buffer.byteLength(text) > MAX_NQN_BYTES) return false;
  return text.startsWith(UUID_NQN_PREFIX) ? UUID_NQN.test(text) : NQN.test(text);
}

/** An NVMe-oF subsystem. */
export class Subsystem {
  readonly options: SubsystemOptions;
  allowAnyHost: boolean;
  readonly hosts: Map<string, AllowedHost> = new Map();
  /** The newest first, as targets list them. */
  readonly listeners: Listener[] = [];
  readonly namespaces: Map<number, Namespace> = new Map();

  constructor(options: SubsystemOptions, allowAnyHost: boolean) {
    this.options = options;
    this.allowAnyHost = allowAnyHost;
  }

  /** Shows a bdev under a namespace id, the lowest free one unless given. A bdev can be in one subsystem only. */
  addNamespace(
    bdev: Bdev,
    ids: {
      nsid: number | undefined;
      uuid: string | undefined;
      nguid: string | undefined;
      eui64: string | undefined;
      anagrpid: number | undefined;
    },
  ): number {
    let nsid = ids.nsid ?? 0;
    if (nsid === 0) for (nsid = 1; this.namespaces.has(nsid); nsid += 1);
    if (this.namespaces.has(nsid) || nsid > this.options.maxNamespaces || bdev.claim !== "none")
      throw invalidParameters();
    const uuid = ids.uuid ?? bdev.uuid;
    bdev.claim = "nvmf";
    this.namespaces.set(nsid, {
      nsid,
      bdev,
      uuid,
      nguid: ids.nguid ?? uuid.replaceAll("-", "").toUpperCase(),
      eui64: ids.eui64,
      anagrpid: ids.anagrpid ?? nsid,
    });
    return nsid;
  }

  removeNamespace(nsid: number): void {
    const namespace = this.namespaces.get(nsid);
    if (namespace === undefined) throw invalidParameters();
    namespace.bdev.claim = "none";
    this.namespaces.delete(nsid);
  }

  /** A bdev is gone: its namespace vanishes under whoever has it. */
  dropBdev(bdev: Bdev): void {
    for (const { nsid, bdev: shown } of this.namespaces.values()) if (shown === bdev) this.removeNamespace(nsid);
  }

  findListener({ traddr, trsvcid, trtype }: Listener["address"]): Listener | undefined {
    return this.listeners.find(
      ({ address }) => address.traddr === traddr && address.trsvcid === trsvcid && address.trtype === trtype,
    );
  }

  addListener(address: Listener["address"], anaState: string): void {
    if (this.findListener(address) !== undefined) throw invalidParameters();
    this.listeners.unshift({ address, anaStates: Array.from({ length: this.options.maxNamespaces }, () => anaState) });
  }

  /** Sets a listener's ANA state for one group, or for all. */
  setAnaState(address: Listener["address"], state: string, group: number | undefined): void {
    const listener = this.findListener(address);
    const { anaReporting, maxNamespaces } = this.options;
    if (!anaReporting || listener === undefined || (group !== undefined && (group < 1 || group > maxNamespaces))) {
      throw new RpcError(-32603, "error setting ANA state: -22");
    }
    if (group === undefined) listener.anaStates.fill(state);
    else listener.anaStates[group - 1] = state;
  }

  /** One entry of nvmf_get_subsystems. */
  describe(): object {
    const { nqn, serialNumber, modelNumber, maxNamespaces, minCntlid, maxCntlid, anaReporting, adminLabel } =
      this.options;
    return {
      nqn,
      subtype: "NVMe",
      listen_addresses: this.listeners.map(({ address }) => address),
      allow_any_host: this.allowAnyHost,
      hosts: [...this.hosts.values()],
      serial_number: serialNumber,
      model_number: modelNumber,
      ...(adminLabel !== undefined && { admin_label: adminLabel }),
      max_namespaces: maxNamespaces,
      passthrough: false,
      min_cntlid: minCntlid,
      max_cntlid: maxCntlid,
      dmrsl: 2097152,
      wzsl: 12,
      namespaces: [...this.namespaces.values()]
        .toSorted((a, b) => a.nsid - b.nsid)
        .map(({ nsid, bdev, nguid, eui64, uuid, anagrpid }) => ({
          nsid,
          bdev_name: bdev.name,
          name: bdev.name,
          nguid,
          ...(eui64 !== undefined && { eui64 }),
          uuid,
          ...(anaReporting && { anagrpid }),
        })),
    };
  }
}
