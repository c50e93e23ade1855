import { decode } from "../rpc/decode.ts";
import type { Handler, Handlers } from "../rpc/handler.ts";
import { RpcError, undecodable } from "../rpc/rpc-error.ts";
import { describeVersion, type Version } from "../version.ts";

/** Methods that a target takes before it has started, and never after, and since when: an emulated one starts before it listens. */
const STARTUP_ONLY: Readonly<Record<string, string>> = {
  accel_assign_opc: "23.01",
  accel_set_options: "23.05",
  bdev_set_options: "22.05",
  framework_start_init: "22.05",
  iobuf_set_options: "22.09",
  iscsi_set_options: "22.05",
  nvmf_set_config: "22.05",
  nvmf_set_crdt: "22.05",
  nvmf_set_max_subsystems: "22.05",
  sock_impl_set_options: "22.05",
  sock_set_default_impl: "22.05",
};

const tooLate: Handler = () => {
  throw new RpcError(
    -1,
    "Method may only be called before framework is initialized. Use --wait-for-rpc command line parameter and then issue this RPC before the framework_start_init RPC.",
  );
};

/** Adds spdk_get_version, rpc_get_methods and the methods that come too late to the others. */
export function versionHandlers(version: Version, others: Handlers): Handlers {
  const startupOnly = Object.entries(STARTUP_ONLY).filter(([, since]) => version.from(since));
  const all: Handlers = {
    spdk_get_version: (params) => {
      if (params !== undefined) throw new RpcError(-32602, "spdk_get_version method requires no parameters");
      return described;
    },
    rpc_get_methods: (params = {}) => {
      const { current = false } = decode(params, { current: "boolean?", include_aliases: "boolean?" }, undecodable());
      return Object.keys(all).filter((method) => !current || all[method] !== tooLate);
    },
    ...others,
    ...Object.fromEntries(startupOnly.map(([method]) => [method, tooLate])),
  };
  const described = describeVersion(version);
  return all;
}
