import { decode } from "../rpc/decode.ts";
import type { Handler, Handlers } from "../rpc/handler.ts";
import { RpcError, undecodable } from "../rpc/rpc-error.ts";
import { describeVersion, type Version } from "../version.ts";

/** Methods that a target takes before it has started, and never after: an emulated one starts before it listens. */
const STARTUP_ONLY = [
  "accel_assign_opc",
  "accel_set_options",
  "bdev_set_options",
  "framework_start_init",
  "iobuf_set_options",
  "iscsi_set_options",
  "nvmf_set_config",
  "nvmf_set_crdt",
  "nvmf_set_max_subsystems",
  "sock_impl_set_options",
  "sock_set_default_impl",
];

const tooLate: Handler = () => {
  throw new RpcError(
    -1,
    "Method may only be called before framework is initialized. Use --wait-for-rpc command line parameter and then issue this RPC before the framework_start_init RPC.",
  );
};

/** Adds spdk_get_version, rpc_get_methods and the methods that come too late to the others. */
export function versionHandlers(version: Version, others: Handlers): Handlers {
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
    ...Object.fromEntries(STARTUP_ONLY.map((method) => [method, tooLate])),
  };
  const described = describeVersion(version);
  return all;
}
