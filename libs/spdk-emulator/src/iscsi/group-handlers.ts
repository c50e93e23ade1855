import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import { CHAP_SHAPE, isConsistent } from "./chap.ts";
import type { InitiatorGroup, IscsiState } from "./iscsi-state.ts";

const MAX_PORT = 65_535;
const WILDCARDS = ["0.0.0.0", "::", "::1"];

/** Portal groups and initiator groups. */
export function groupHandlers(iscsi: IscsiState): Handlers {
  return { ...portalGroupHandlers(iscsi), ...initiatorGroupHandlers(iscsi) };
}

function readTag(params: object): number {
  return decode({ ...params }, { tag: "uint32" }, invalidParameters()).tag;
}

function portalGroupHandlers(iscsi: IscsiState): Handlers {
  const { portalGroups } = iscsi;
  return {
    iscsi_create_portal_group: (params = {}) => {
      const shape = { tag: "uint32", portals: "objects", private: "boolean?", wait: "boolean?" } as const;
      const { tag, portals: given, private: isPrivate = false } = decode(params, shape, invalidParameters());
      const portals = given.map((portal) => decode(portal, { host: "string", port: "string" }, invalidParameters()));
      const taken = [...portalGroups.values()].flatMap((group) => group.portals);
      const usable = portals.every(
        ({ host, port }) =>
          isLocal(host) && isPort(port) && !taken.some((other) => other.host === host && other.port === port),
      );
      if (portalGroups.has(tag) || portals.length === 0 || !usable) throw invalidParameters();
      portalGroups.set(tag, { tag, portals, private: isPrivate });
      return true;
    },
    iscsi_delete_portal_group: (params = {}) => {
      const tag = readTag(params);
      if (!portalGroups.delete(tag)) throw invalidParameters();
      iscsi.dropMaps(({ pg_tag }) => pg_tag === tag);
      return true;
    },
    iscsi_start_portal_group: (params = {}) => {
      if (!portalGroups.has(readTag(params))) throw invalidParameters();
      return true;
    },
    iscsi_portal_group_set_auth: (params = {}) => {
      const { tag, ...chap } = decode(params, { tag: "uint32", ...CHAP_SHAPE }, invalidParameters());
      if (!isConsistent(chap)) throw invalidParameters();
      if (!portalGroups.has(tag)) throw new RpcError(-32602, `Could not find portal group ${tag}`);
      return true;
    },
    iscsi_get_portal_groups: () => [...portalGroups.values()],
  };
}

function initiatorGroupHandlers(iscsi: IscsiState): Handlers {
  const { initiatorGroups } = iscsi;
  const change = (
    params: object,
  ): { group: InitiatorGroup; initiators: readonly string[]; netmasks: readonly string[] } => {
    const shape = { tag: "uint32", initiators: "strings?", netmasks: "strings?" } as const;
    const { tag, initiators = [], netmasks = [] } = decode({ ...params }, shape, invalidParameters());
    const group = initiatorGroups.get(tag);
    if (group === undefined) throw invalidParameters();
    return { group, initiators, netmasks };
  };
  return {
    iscsi_create_initiator_group: (params = {}) => {
      const shape = { tag: "uint32", initiators: "strings", netmasks: "strings" } as const;
      const { tag, initiators, netmasks } = decode(params, shape, invalidParameters());
      if (initiatorGroups.has(tag) || initiators.length === 0 || netmasks.length === 0) throw invalidParameters();
      initiatorGroups.set(tag, { tag, initiators: [...initiators], netmasks: [...netmasks] });
      return true;
    },
    iscsi_initiator_group_add_initiators: (params = {}) => {
      const { group, initiators, netmasks } = change(params);
      const known = (name: string): boolean => group.initiators.includes(name);
      if (initiators.some(known) || netmasks.some((mask) => group.netmasks.includes(mask))) throw invalidParameters();
      group.initiators.push(...initiators);
      group.netmasks.push(...netmasks);
      return true;
    },
    iscsi_initiator_group_remove_initiators: (params = {}) => {
      const { group, initiators, netmasks } = change(params);
      const known = initiators.every((name) => group.initiators.includes(name));
      if (!known || !netmasks.every((mask) => group.netmasks.includes(mask))) throw invalidParameters();
      for (const name of initiators) group.initiators.splice(group.initiators.indexOf(name), 1);
      for (const mask of netmasks) group.netmasks.splice(group.netmasks.indexOf(mask), 1);
      return true;
    },
    iscsi_delete_initiator_group: (params = {}) => {
      const tag = readTag(params);
      if (!initiatorGroups.delete(tag)) throw invalidParameters();
      iscsi.dropMaps(({ ig_tag }) => ig_tag === tag);
      return true;
    },
    iscsi_get_initiator_groups: () => [...initiatorGroups.values()],
  };
}

function isPort(text: string): boolean {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port <= MAX_PORT;
}

/** Whether a target could listen on an address: one of this machine's, or any. */
function isLocal(address: string): boolean {
  const bare = address.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) === 0) return false;
  if (WILDCARDS.includes(bare) || bare.startsWith("127.")) return true;
  return Object.values(networkInterfaces()).some((each) => each?.some((own) => own.address === bare));
}
