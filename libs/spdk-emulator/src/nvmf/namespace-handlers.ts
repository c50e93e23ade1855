import { decode, type Fields, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import type { NvmfContext } from "./context.ts";

const NGUID = /^[0-9a-f]{32}$/i;

/** Namespaces come and go, and those that are hidden are shown to hosts. */
export function namespaceHandlers({ state, version, find }: NvmfContext): Handlers {
  const shape = ofVersion(version, {
    bdev_name: "string",
    nsid: "uint32?",
    nguid: "string?",
    eui64: "string?",
    uuid: "uuid?",
    anagrpid: "uint32?",
    no_auto_visible: "boolean? 24.05-",
    hide_metadata: "boolean? 24.09-",
    ptpl_file: "string?",
  });
  const show = (params: Fields, shown: boolean): true => {
    const shape = { nqn: "string", nsid: "uint32", host: "string", tgt_name: "string?" } as const;
    const { nqn, nsid, host } = decode(params, shape, invalidParameters());
    find(nqn).showNamespace(nsid, host, shown);
    return true;
  };
  return {
    nvmf_ns_add_host: (params = {}) => show(params, true),
    nvmf_ns_remove_host: (params = {}) => show(params, false),
    nvmf_subsystem_add_ns: (params = {}) => {
      const { nqn, namespace } = decode(
        params,
        { nqn: "string", namespace: "object", tgt_name: "string?" },
        invalidParameters(),
      );
      const subsystem = find(nqn);
      const {
        bdev_name,
        nsid,
        nguid,
        eui64,
        uuid,
        anagrpid,
        no_auto_visible: hidden = false,
      } = decode(namespace, shape, invalidParameters());
      if (nguid !== undefined && !NGUID.test(nguid))
        throw version.from("26.09") ? new RpcError(-32602, "Invalid nguid") : invalidParameters();
      const bdev = state.bdevs.find(bdev_name);
      if (bdev === undefined) throw invalidParameters();
      return subsystem.addNamespace(bdev, state.openBdevs, { nsid, nguid, eui64, uuid, anagrpid, hidden });
    },
    nvmf_subsystem_remove_ns: (params = {}) => {
      const { nqn, nsid } = decode(params, { nqn: "string", nsid: "uint32", tgt_name: "string?" }, invalidParameters());
      find(nqn).removeNamespace(nsid, state.openBdevs);
      return true;
    },
  };
}
