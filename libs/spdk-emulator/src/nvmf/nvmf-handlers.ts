import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

import { decode, type Fields } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import { ANA_STATES, isNqn, type Listener, Subsystem } from "./subsystem.ts";

const DISCOVERY = {
  nqn: "nqn.2014-08.org.nvmexpress.discovery",
  subtype: "Discovery",
  listen_addresses: [],
  allow_any_host: true,
  hosts: [],
};

/** What a TCP transport has where nvmf_create_transport names nothing else. */
const TCP_DEFAULTS = {
  max_queue_depth: 128,
  max_io_qpairs_per_ctrlr: 127,
  in_capsule_data_size: 4096,
  max_io_size: 131072,
  max_aq_depth: 128,
  iobuf_small_cache_size: 4294967295,
  iobuf_large_cache_size: 4294967295,
  dif_insert_or_strip: false,
  zcopy: false,
  c2h_success: true,
  sock_priority: 0,
  abort_timeout_sec: 1,
  ack_timeout: 0,
  data_wr_pool_size: 0,
  disable_command_passthru: false,
  kas: 100,
  min_kato: 10000,
};

/** How a version words that a subsystem does not exist. */
export type MissingSubsystem = (nqn: string) => RpcError;

/** NVMe-oF: transports, subsystems, namespaces, listeners, hosts. */
export function nvmfHandlers(state: TargetState, missing: MissingSubsystem): Handlers {
  const find = (nqn: string): Subsystem => {
    const subsystem = state.subsystems.get(nqn);
    if (subsystem === undefined) throw missing(nqn);
    return subsystem;
  };
  const failed = (): RpcError => new RpcError(-32603, "Internal error");
  const toAddress = (fields: Fields): Listener["address"] => {
    const { trtype, adrfam, traddr, trsvcid } = decode(
      fields,
      { trtype: "string", adrfam: "string?", traddr: "string", trsvcid: "string?" },
      invalidParameters(),
    );
    const family = (adrfam ?? "IPv4").toLowerCase();
    if (family !== "ipv4" && family !== "ipv6") throw invalidParameters();
    return {
      trtype: trtype.toUpperCase(),
      adrfam: family === "ipv4" ? "IPv4" : "IPv6",
      traddr,
      trsvcid: trsvcid ?? "",
    };
  };

  return {
    nvmf_create_transport: (params = {}) => {
      const { trtype } = decode(params, { trtype: "string" }, invalidParameters(), "ignored");
      const type = trtype.toUpperCase();
      if (type !== "TCP") throw new RpcError(-32602, `Invalid transport type '${trtype}'`);
      if (state.transports.has(type)) throw new RpcError(-32603, `Transport type '${trtype}' already exists`);
      const known = Object.entries(params).filter(([name]) => name in TCP_DEFAULTS);
      state.transports.set(type, { trtype: type, ...TCP_DEFAULTS, ...Object.fromEntries(known) });
      return true;
    },
    nvmf_get_transports: (params = {}) => {
      const { trtype } = decode(params, { trtype: "string?", tgt_name: "string?" }, invalidParameters());
      if (trtype === undefined) return [...state.transports.values()];
      const transport = state.transports.get(trtype.toUpperCase());
      if (transport === undefined) throw errno("ENODEV");
      return [transport];
    },
    nvmf_create_subsystem: (params = {}) => {
      const shape = {
        nqn: "string",
        serial_number: "string?",
        model_number: "string?",
        max_namespaces: "uint32?",
        min_cntlid: "uint32?",
        max_cntlid: "uint32?",
        allow_any_host: "boolean?",
        ana_reporting: "boolean?",
        tgt_name: "string?",
        admin_label: "string?",
        max_discard_size_kib: "uint64?",
        max_write_zeroes_size_kib: "uint64?",
        passthrough: "boolean?",
        enable_nssr: "boolean?",
      } as const;
      const given = decode(params, shape, invalidParameters());
      const {
        nqn,
        serial_number = "00000000000000000000",
        model_number = "SPDK bdev Controller",
        min_cntlid = 1,
        max_cntlid = 65519,
      } = given;
      if (given.tgt_name !== undefined && given.tgt_name !== "nvmf_tgt")
        throw new RpcError(-32603, `Unable to find target ${given.tgt_name}`);
      if (state.subsystems.has(nqn) || !isNqn(nqn)) throw new RpcError(-32603, `Unable to create subsystem ${nqn}`);
      if (serial_number.length > 20 || model_number.length > 40) throw invalidParameters();
      if (given.admin_label !== undefined && given.admin_label.length > 127)
        throw new RpcError(-32602, "Invalid admin_label");
      if (min_cntlid < 1 || max_cntlid > 65519 || min_cntlid > max_cntlid)
        throw new RpcError(-32602, `Invalid cntlid range [${min_cntlid}-${max_cntlid}]`);
      const options = {
        nqn,
        serialNumber: serial_number,
        modelNumber: model_number,
        maxNamespaces: given.max_namespaces ?? 32,
        minCntlid: min_cntlid,
        maxCntlid: max_cntlid,
        anaReporting: given.ana_reporting ?? false,
        adminLabel: given.admin_label,
      };
      state.subsystems.set(nqn, new Subsystem(options, given.allow_any_host ?? false));
      return true;
    },
    nvmf_delete_subsystem: (params = {}) => {
      const subsystem = find(decode(params, { nqn: "string", tgt_name: "string?" }, invalidParameters()).nqn);
      for (const nsid of subsystem.namespaces.keys()) subsystem.removeNamespace(nsid);
      state.subsystems.delete(subsystem.options.nqn);
      return true;
    },
    nvmf_get_subsystems: (params = {}) => {
      const { nqn } = decode(params, { nqn: "string?", tgt_name: "string?" }, invalidParameters());
      return nqn === undefined
        ? [DISCOVERY, ...[...state.subsystems.values()].map((each) => each.describe())]
        : [find(nqn).describe()];
    },
    nvmf_subsystem_add_listener: (params = {}) => {
      const shape = {
        nqn: "string",
        listen_address: "object",
        tgt_name: "string?",
        secure_channel: "boolean?",
        ana_state: "string?",
        sock_impl: "string?",
      } as const;
      const { nqn, listen_address, ana_state = "optimized" } = decode(params, shape, invalidParameters());
      const subsystem = find(nqn);
      const address = toAddress(listen_address);
      const port = Number(address.trsvcid);
      const usable =
        state.transports.has(address.trtype) &&
        isLocal(address.traddr) &&
        Number.isInteger(port) &&
        port > 0 &&
        port < 65536;
      if (!usable || !ANA_STATES.some((known) => known === ana_state)) throw invalidParameters();
      subsystem.addListener(address, ana_state);
      return true;
    },
    nvmf_subsystem_remove_listener: (params = {}) => {
      const { nqn, listen_address } = decode(
        params,
        { nqn: "string", listen_address: "object", tgt_name: "string?" },
        invalidParameters(),
      );
      const subsystem = find(nqn);
      const listener = subsystem.findListener(toAddress(listen_address));
      if (listener === undefined) throw invalidParameters();
      subsystem.listeners.splice(subsystem.listeners.indexOf(listener), 1);
      return true;
    },
    nvmf_subsystem_get_listeners: (params = {}) => {
      const subsystem = find(decode(params, { nqn: "string", tgt_name: "string?" }, invalidParameters()).nqn);
      return subsystem.listeners.map(({ address, anaStates }) => ({
        address,
        ...(subsystem.options.anaReporting && {
          ana_states: anaStates.map((ana_state, index) => ({ ana_group: index + 1, ana_state })),
        }),
      }));
    },
    nvmf_subsystem_listener_set_ana_state: (params = {}) => {
      const shape = {
        nqn: "string",
        listen_address: "object",
        ana_state: "string",
        anagrpid: "uint32?",
        tgt_name: "string?",
      } as const;
      const { nqn, listen_address, ana_state, anagrpid } = decode(params, shape, invalidParameters());
      if (!ANA_STATES.some((known) => known === ana_state)) throw invalidParameters();
      find(nqn).setAnaState(toAddress(listen_address), ana_state, anagrpid);
      return true;
    },
    nvmf_subsystem_add_ns: (params = {}) => {
      const { nqn, namespace } = decode(
        params,
        { nqn: "string", namespace: "object", tgt_name: "string?" },
        invalidParameters(),
      );
      const subsystem = find(nqn);
      const shape = {
        bdev_name: "string",
        nsid: "uint32?",
        nguid: "string?",
        eui64: "string?",
        uuid: "uuid?",
        anagrpid: "uint32?",
        no_auto_visible: "boolean?",
        hide_metadata: "boolean?",
        ptpl_file: "string?",
      } as const;
      const { bdev_name, nsid, nguid, eui64, uuid, anagrpid } = decode(namespace, shape, invalidParameters());
      if (nguid !== undefined && !/^[0-9a-f]{32}$/i.test(nguid)) throw new RpcError(-32602, "Invalid nguid");
      const bdev = state.bdevs.find(bdev_name);
      if (bdev === undefined) throw invalidParameters();
      return subsystem.addNamespace(bdev, { nsid, nguid, eui64, uuid, anagrpid });
    },
    nvmf_subsystem_remove_ns: (params = {}) => {
      const { nqn, nsid } = decode(params, { nqn: "string", nsid: "uint32", tgt_name: "string?" }, invalidParameters());
      find(nqn).removeNamespace(nsid);
      return true;
    },
    nvmf_subsystem_add_host: (params = {}) => {
      const { nqn, host } = decode(params, { nqn: "string", host: "string", tgt_name: "string?" }, invalidParameters());
      const subsystem = find(nqn);
      if (subsystem.hosts.has(host) || !isNqn(host)) throw failed();
      subsystem.hosts.set(host, { nqn: host });
      return true;
    },
    nvmf_subsystem_remove_host: (params = {}) => {
      const { nqn, host } = decode(params, { nqn: "string", host: "string", tgt_name: "string?" }, invalidParameters());
      if (!find(nqn).hosts.delete(host)) throw failed();
      return true;
    },
    nvmf_subsystem_allow_any_host: (params = {}) => {
      const { nqn, allow_any_host } = decode(
        params,
        { nqn: "string", allow_any_host: "boolean", tgt_name: "string?" },
        invalidParameters(),
      );
      find(nqn).allowAnyHost = allow_any_host;
      return true;
    },
    // Nobody is connected: this version of the emulator has no data plane.
    nvmf_subsystem_get_controllers: (params = {}) => {
      find(decode(params, { nqn: "string", tgt_name: "string?" }, invalidParameters()).nqn);
      return [];
    },
    nvmf_subsystem_get_qpairs: (params = {}) => {
      find(decode(params, { nqn: "string", tgt_name: "string?" }, invalidParameters()).nqn);
      return [];
    },
  };
}

/** Whether a listener could bind to an address: one of this machine's, or any. */
function isLocal(address: string): boolean {
  if (isIP(address) === 0) return false;
  if (["0.0.0.0", "::", "::1"].includes(address) || address.startsWith("127.")) return true;
  return Object.values(networkInterfaces()).some((each) => each?.some((own) => own.address === address));
}
