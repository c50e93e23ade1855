import type { Bdev } from "../bdev/bdev.ts";
import type { Bdevs } from "../bdev/bdevs.ts";

/** Where the target listens for iSCSI, in RPCs only: no port is bound. */
export interface PortalGroup {
  readonly tag: number;
  readonly portals: readonly { readonly host: string; readonly port: string }[];
  readonly private: boolean;
}

/** Which initiators may log in, and from which networks. */
export interface InitiatorGroup {
  readonly tag: number;
  readonly initiators: string[];
  readonly netmasks: string[];
}

/** A user and its secret, and those by which the target shows who it is. */
export interface Secret {
  readonly user: string;
  readonly secret: string;
  readonly muser?: string;
  readonly msecret?: string;
}

/** Who has to show a CHAP secret, and of which auth group. */
export interface ChapSettings {
  disable_chap: boolean;
  require_chap: boolean;
  mutual_chap: boolean;
  chap_group: number;
}

/** Which initiator group sees a target node through which portal group. */
export interface GroupMap {
  readonly pg_tag: number;
  readonly ig_tag: number;
}

/** A target with its LUNs. */
export interface TargetNode extends ChapSettings {
  readonly name: string;
  readonly alias_name: string;
  maps: GroupMap[];
  readonly luns: Map<number, Bdev>;
  readonly queue_depth: number;
  readonly header_digest: boolean;
  readonly data_digest: boolean;
}

/** All that the target knows of iSCSI. */
export class IscsiState {
  readonly portalGroups: Map<number, PortalGroup> = new Map();
  readonly initiatorGroups: Map<number, InitiatorGroup> = new Map();
  /** Secrets by user, by tag. */
  readonly authGroups: Map<number, Map<string, Secret>> = new Map();
  readonly nodes: Map<string, TargetNode> = new Map();
  readonly discoveryAuth: ChapSettings = noChap();
  readonly #bdevs: Bdevs;

  constructor(bdevs: Bdevs) {
    this.#bdevs = bdevs;
  }

  /** Shows a bdev as a LUN. */
  addLun(node: TargetNode, lun: number, bdev: Bdev): void {
    node.luns.set(lun, bdev);
    this.#bdevs.countWriter(bdev, 1);
  }

  removeNode(node: TargetNode): void {
    for (const bdev of node.luns.values()) this.#bdevs.countWriter(bdev, -1);
    this.nodes.delete(node.name);
  }

  /** A bdev is gone: so are its LUNs. */
  dropBdev(bdev: Bdev): void {
    for (const { luns } of this.nodes.values()) {
      for (const [lun, shown] of luns) if (shown === bdev) luns.delete(lun);
    }
  }

  /** A group is gone: so is what it mapped. */
  dropMaps(matches: (map: GroupMap) => boolean): void {
    for (const node of this.nodes.values()) node.maps = node.maps.filter((map) => !matches(map));
  }

  /** The calls that make all of it again. */
  config(): readonly object[] {
    const { disable_chap, require_chap, mutual_chap, chap_group } = this.discoveryAuth;
    return [
      {
        method: "iscsi_set_options",
        params: { ...ISCSI_OPTIONS, disable_chap, require_chap, mutual_chap, chap_group, ...ISCSI_POOLS },
      },
      ...[...this.portalGroups.values()].map((params) => ({ method: "iscsi_create_portal_group", params })),
      ...[...this.initiatorGroups.values()].map((params) => ({ method: "iscsi_create_initiator_group", params })),
      ...[...this.nodes.values()].map((node) => ({ method: "iscsi_create_target_node", params: describeNode(node) })),
      ...[...this.authGroups].map(([tag, secrets]) => ({
        method: "iscsi_create_auth_group",
        params: { tag, secrets: [...secrets.values()] },
      })),
    ];
  }
}

/** What a target's name begins with unless a whole one is given. */
export const NODE_BASE: string = "iqn.2016-06.io.spdk";

/** Options before those of CHAP. */
export const ISCSI_OPTIONS: Readonly<Record<string, string | number | boolean>> = {
  node_base: NODE_BASE,
  max_sessions: 128,
  max_connections_per_session: 2,
  max_queue_depth: 64,
  default_time2wait: 2,
  default_time2retain: 20,
  first_burst_length: 8192,
  immediate_data: true,
  allow_duplicated_isid: false,
  error_recovery_level: 0,
  nop_timeout: 60,
  nop_in_interval: 30,
};

/** Options behind those of CHAP. */
export const ISCSI_POOLS = {
  max_large_datain_per_connection: 64,
  max_r2t_per_connection: 4,
  pdu_pool_size: 36864,
  immediate_data_pool_size: 16384,
  data_out_pool_size: 2048,
} as const;

/** No CHAP asked for, none refused. */
export function noChap(): ChapSettings {
  return { disable_chap: false, require_chap: false, mutual_chap: false, chap_group: 0 };
}

/** One entry of iscsi_get_target_nodes. */
export function describeNode(node: TargetNode): object {
  return {
    name: node.name,
    alias_name: node.alias_name,
    pg_ig_maps: node.maps,
    luns: [...node.luns].toSorted(([a], [b]) => a - b).map(([lun_id, bdev]) => ({ bdev_name: bdev.name, lun_id })),
    queue_depth: node.queue_depth,
    disable_chap: node.disable_chap,
    require_chap: node.require_chap,
    mutual_chap: node.mutual_chap,
    chap_group: node.chap_group,
    header_digest: node.header_digest,
    data_digest: node.data_digest,
  };
}
