import { decode, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { type Errno, errno, invalidParams, RpcError, undecodable } from "../rpc/rpc-error.ts";
import { checkClearMethod, isName, type LvolContext } from "./lvol-context.ts";

const DEFAULT_CLUSTER_BYTES = 4 * 1024 ** 2;
const PAGE_BYTES = 4096;
const NAME_SHAPE = { uuid: "string?", lvs_name: "string?" } as const;

/** Lvstores. */
export function lvstoreHandlers({ state, version }: LvolContext): Handlers {
  const shape = ofVersion(version, {
    bdev_name: "string",
    lvs_name: "string",
    cluster_sz: "uint32?",
    clear_method: "string?",
    num_md_pages_per_cluster_ratio: "uint32? 22.09-",
    md_page_size: "uint32? 25.01-",
  });
  /** v22.05 mistakes the sign of its own errors, and has no words for them. */
  const failed = (name: Errno): RpcError => {
    const error = errno(name);
    return version.from("22.09") ? error : new RpcError(-error.code, `Unknown error ${error.code}`);
  };
  const { lvstores } = state;
  return {
    bdev_lvol_create_lvstore: async (params = {}) => {
      const {
        bdev_name,
        lvs_name,
        cluster_sz = DEFAULT_CLUSTER_BYTES,
        clear_method,
      } = decode(params, shape, undecodable());
      checkClearMethod(clear_method, version, "Invalid clear_method parameter");
      if (!isName(lvs_name)) throw failed("EINVAL");
      const base = state.bdevs.find(bdev_name);
      if (base === undefined) throw failed("ENODEV");
      if (base.claim === "nvmf" || (state.bdevs.hasWriters(base) && version.from("23.05")))
        throw invalidParams("EPERM");
      if (base.claim !== "none") throw failed("EPERM");
      if (cluster_sz < base.blockSize || cluster_sz % PAGE_BYTES !== 0)
        throw version.from("25.01") ? errno("EINVAL") : invalidParams("EINVAL");
      if (lvstores.findByName(lvs_name) !== undefined) throw failed("EEXIST");
      const store = lvstores.plan(base, lvs_name, cluster_sz);
      if (store.totalClusters <= 0) throw invalidParams(version.from("22.09") ? "EINVAL" : "ENOSPC");
      await lvstores.create(store);
      return store.uuid;
    },
    bdev_lvol_delete_lvstore: async (params = {}) => {
      const store = lvstores.get(decode(params, NAME_SHAPE, undecodable()));
      for (const lvol of [...store.lvols].toReversed()) state.dropBdev(lvol);
      await lvstores.destroy(store);
      return true;
    },
    bdev_lvol_rename_lvstore: async (params = {}) => {
      const { old_name, new_name } = decode(params, { old_name: "string", new_name: "string" }, undecodable());
      const store = lvstores.findByName(old_name);
      if (store === undefined) throw new RpcError(-2, `Lvol store ${old_name} not found`);
      if (lvstores.findByName(new_name) !== undefined) throw invalidParams("EEXIST");
      if (!isName(new_name)) throw invalidParams("EINVAL");
      store.name = new_name;
      for (const lvol of store.lvols) state.bdevs.renamed(lvol);
      await store.log?.commit({ store: store.stored() });
      return true;
    },
    bdev_lvol_grow_lvstore: async (params = {}) => {
      const store = lvstores.get(decode(params, NAME_SHAPE, undecodable()));
      store.grow();
      await store.log?.commit({ store: store.stored() });
      return true;
    },
    bdev_lvol_get_lvstores: (params) => {
      const stores = params === undefined ? lvstores.all() : [lvstores.get(decode(params, NAME_SHAPE, undecodable()))];
      return stores.map((store) => store.describe());
    },
  };
}
