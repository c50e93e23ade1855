import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import type { NvmfContext } from "./context.ts";

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

/** nvmf_create_transport and nvmf_get_transports. */
export function transportHandlers({ state }: NvmfContext): Handlers {
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
  };
}
