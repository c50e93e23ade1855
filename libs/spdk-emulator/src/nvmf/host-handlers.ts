import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import type { NvmfContext } from "./context.ts";
import { isNqn } from "./nqn.ts";
import type { HostKeys } from "./subsystem.ts";

const HOST_SHAPE = { nqn: "string", host: "string", tgt_name: "string?" } as const;
const KEYS_SHAPE = { ...HOST_SHAPE, dhchap_key: "string?", dhchap_ctrlr_key: "string?", psk: "string?" } as const;

interface KeyNames {
  readonly dhchap_key: string | undefined;
  readonly dhchap_ctrlr_key: string | undefined;
}

/** Which hosts a subsystem admits, and the keys by which they authenticate. */
export function hostHandlers({ state, version, find }: NvmfContext): Handlers {
  const failed = (): RpcError => new RpcError(-32603, "Internal error");
  const { dhchap, refusesDuplicateHost } = version.nvmf;
  const takeKeys = ({ dhchap_key: host, dhchap_ctrlr_key: controller }: KeyNames): HostKeys | undefined => {
    if (dhchap === "ignored") return undefined;
    if (host === undefined) {
      if (controller !== undefined) throw failed();
      return undefined;
    }
    const hostKey = state.keyring.take(host);
    if (hostKey === undefined) throw invalidParameters();
    const controllerKey = controller === undefined ? undefined : state.keyring.take(controller);
    if (controller !== undefined && controllerKey === undefined) {
      hostKey.release();
      throw invalidParameters();
    }
    return { host: hostKey, controller: controllerKey };
  };
  return {
    nvmf_subsystem_add_host: (params = {}) => {
      const known = dhchap === "refused" ? HOST_SHAPE : KEYS_SHAPE;
      decode(params, known, invalidParameters());
      const { nqn, host, ...names } = decode(params, KEYS_SHAPE, invalidParameters());
      const subsystem = find(nqn);
      if (subsystem.hosts.has(host) && !refusesDuplicateHost) return true;
      if (subsystem.hosts.has(host) || !isNqn(host)) throw failed();
      subsystem.allowHost({ nqn: host, keys: takeKeys(names) });
      return true;
    },
    nvmf_subsystem_set_keys: (params = {}) => {
      const { nqn, host, ...names } = decode(params, KEYS_SHAPE, invalidParameters());
      const subsystem = find(nqn);
      if (!subsystem.hosts.has(host)) throw errno("EINVAL");
      subsystem.allowHost({ nqn: host, keys: takeKeys(names) });
      return true;
    },
    nvmf_subsystem_remove_host: (params = {}) => {
      const { nqn, host } = decode(params, HOST_SHAPE, invalidParameters());
      if (!find(nqn).removeHost(host)) throw failed();
      return true;
    },
    nvmf_subsystem_allow_any_host: (params = {}) => {
      const shape = { nqn: "string", allow_any_host: "boolean", tgt_name: "string?" } as const;
      const { nqn, allow_any_host } = decode(params, shape, invalidParameters());
      find(nqn).allowAnyHost = allow_any_host;
      return true;
    },
  };
}
