import type { Bdev } from "../bdev/bdev.ts";
import { decode, type Fields } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import { CHAP_SHAPE, isConsistent, toSettings } from "./chap.ts";
import { describeNode, type GroupMap, NODE_BASE, type TargetNode } from "./iscsi-state.ts";

const MAX_LUNS = 256;
const MAX_NAME_BYTES = 223;

/** Target nodes and their LUNs. */
export function targetNodeHandlers(state: TargetState, version: Version): Handlers {
  const { iscsi } = state;
  const get = (name: string): TargetNode => {
    const node = iscsi.nodes.get(name);
    if (node === undefined) throw invalidParameters();
    return node;
  };
  const readMaps = (fields: readonly Fields[]): readonly GroupMap[] =>
    fields.map((each) => decode(each, { pg_tag: "uint32", ig_tag: "uint32" }, invalidParameters()));
  /** A bdev that can be opened for writing. */
  const findBdev = (name: string): Bdev => {
    const bdev = state.bdevs.find(name);
    if (bdev === undefined || bdev.claim !== "none") throw invalidParameters();
    return bdev;
  };
  const addMaps = (node: TargetNode, maps: readonly GroupMap[]): void => {
    for (const { pg_tag, ig_tag } of maps) {
      const known = iscsi.portalGroups.has(pg_tag) && iscsi.initiatorGroups.has(ig_tag);
      if (!known || node.maps.some((map) => map.pg_tag === pg_tag && map.ig_tag === ig_tag)) throw invalidParameters();
    }
    node.maps.push(...maps);
  };
  return {
    iscsi_create_target_node: (params = {}) => {
      const shape = {
        name: "string",
        alias_name: "string",
        pg_ig_maps: "objects",
        luns: "objects",
        queue_depth: "uint32",
        header_digest: "boolean?",
        data_digest: "boolean?",
        ...CHAP_SHAPE,
      } as const;
      const {
        name: given,
        alias_name,
        pg_ig_maps,
        luns,
        queue_depth,
        header_digest,
        data_digest,
        ...chap
      } = decode(params, shape, invalidParameters());
      const name = /^(?:iqn|eui|naa)\./i.test(given) ? given : `${NODE_BASE}:${given}`;
      const maps = readMaps(pg_ig_maps);
      const bdevs = new Map(luns.map((each) => readLun(each)));
      const sound = Buffer.byteLength(name) <= MAX_NAME_BYTES && luns.length > 0 && bdevs.size === luns.length;
      if (!sound || iscsi.nodes.has(name) || !isConsistent(chap)) throw invalidParameters();
      const node: TargetNode = {
        name,
        alias_name,
        maps: [],
        luns: new Map(),
        queue_depth,
        header_digest: header_digest ?? false,
        data_digest: data_digest ?? false,
        ...toSettings(chap),
      };
      const found = [...bdevs].map(([lun, bdev]) => [lun, findBdev(bdev)] as const);
      addMaps(node, maps);
      for (const [lun, bdev] of found) iscsi.addLun(node, lun, bdev);
      iscsi.nodes.set(name, node);
      return true;
    },
    iscsi_delete_target_node: (params = {}) => {
      const node = iscsi.nodes.get(decode(params, { name: "string" }, invalidParameters()).name);
      if (node !== undefined) iscsi.removeNode(node);
      else if (version.from("22.09")) throw errno("ENOENT");
      return node !== undefined;
    },
    iscsi_get_target_nodes: () => [...iscsi.nodes.values()].map(describeNode),
    iscsi_target_node_add_lun: (params = {}) => {
      const shape = { name: "string", bdev_name: "string", lun_id: "int32?" } as const;
      const { name, bdev_name, lun_id = -1 } = decode(params, shape, invalidParameters());
      const node = get(name);
      const bdev = findBdev(bdev_name);
      let lun = lun_id;
      if (lun < 0) for (lun = 0; node.luns.has(lun); lun += 1);
      if (lun >= MAX_LUNS || node.luns.has(lun)) throw invalidParameters();
      iscsi.addLun(node, lun, bdev);
      return true;
    },
    iscsi_target_node_add_pg_ig_maps: (params = {}) => {
      const { name, pg_ig_maps } = decode(params, { name: "string", pg_ig_maps: "objects" }, invalidParameters());
      addMaps(get(name), readMaps(pg_ig_maps));
      return true;
    },
    iscsi_target_node_remove_pg_ig_maps: (params = {}) => {
      const { name, pg_ig_maps } = decode(params, { name: "string", pg_ig_maps: "objects" }, invalidParameters());
      const node = get(name);
      for (const { pg_tag, ig_tag } of readMaps(pg_ig_maps)) {
        const at = node.maps.findIndex((map) => map.pg_tag === pg_tag && map.ig_tag === ig_tag);
        if (at === -1) throw invalidParameters();
        node.maps.splice(at, 1);
      }
      return true;
    },
    iscsi_target_node_set_auth: (params = {}) => {
      const { name, ...chap } = decode(params, { name: "string", ...CHAP_SHAPE }, invalidParameters());
      const node = iscsi.nodes.get(name);
      if (node === undefined) throw new RpcError(-32602, `Could not find target ${name}`);
      if (!isConsistent(chap)) throw invalidParameters();
      Object.assign(node, toSettings(chap));
      return true;
    },
    ...redirectHandlers(state),
  };
}

function readLun(fields: Fields): readonly [number, string] {
  const { lun_id, bdev_name } = decode(fields, { lun_id: "uint32", bdev_name: "string" }, invalidParameters());
  if (lun_id >= MAX_LUNS) throw invalidParameters();
  return [lun_id, bdev_name];
}

function redirectHandlers({ iscsi }: TargetState): Handlers {
  const check = (name: string): true => {
    if (!iscsi.nodes.has(name)) throw new RpcError(-32602, `Target ${name} is not found`);
    return true;
  };
  return {
    iscsi_target_node_set_redirect: (params = {}) => {
      const shape = { name: "string", pg_tag: "uint32", redirect_host: "string?", redirect_port: "string?" } as const;
      return check(decode(params, shape, invalidParameters()).name);
    },
    iscsi_target_node_request_logout: (params = {}) =>
      check(decode(params, { name: "string", pg_tag: "uint32?" }, invalidParameters()).name),
  };
}
