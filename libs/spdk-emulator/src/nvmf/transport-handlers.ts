import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import type { Version } from "../version.ts";
import type { NvmfContext } from "./context.ts";

const MAX_UINT32 = 4294967295;

/** What a TCP transport has where nvmf_create_transport names nothing else. */
function tcpDefaults(version: Version): Readonly<Record<string, unknown>> {
  const iobuf = version.from("26.05");
  return {
    max_queue_depth: 128,
    max_io_qpairs_per_ctrlr: 127,
    in_capsule_data_size: 4096,
    max_io_size: 131072,
    ...(!iobuf && { io_unit_size: 131072 }),
    max_aq_depth: 128,
    ...(iobuf
      ? { iobuf_small_cache_size: MAX_UINT32, iobuf_large_cache_size: MAX_UINT32 }
      : { num_shared_buffers: 511, buf_cache_size: version.from("22.09") ? MAX_UINT32 : 32 }),
    dif_insert_or_strip: false,
    zcopy: false,
    c2h_success: true,
    sock_priority: 0,
    abort_timeout_sec: 1,
    ...(version.from("24.05") && { ack_timeout: 0, data_wr_pool_size: 0 }),
    ...(version.from("25.09") && { disable_command_passthru: false, kas: 100, min_kato: 10000 }),
  };
}

/** nvmf_create_transport and nvmf_get_transports. */
export function transportHandlers({ state, version }: NvmfContext): Handlers {
  const defaults = tcpDefaults(version);
  return {
    nvmf_create_transport: (params = {}) => {
      const { trtype } = decode(params, { trtype: "string" }, invalidParameters(), "ignored");
      const type = trtype.toUpperCase();
      if (type !== "TCP") throw new RpcError(-32602, `Invalid transport type '${trtype}'`);
      if (state.transports.has(type)) throw new RpcError(-32603, `Transport type '${trtype}' already exists`);
      const known = Object.entries(params).filter(([name]) => name in defaults);
      state.transports.set(type, { trtype: type, ...defaults, ...Object.fromEntries(known) });
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
