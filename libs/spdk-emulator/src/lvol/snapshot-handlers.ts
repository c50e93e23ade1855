import { type Bdev, sizeBytes } from "../bdev/bdev.ts";
import { copyToNewFile } from "../bdev/copy-bytes.ts";
import { removeFile, resizeSparse } from "../bdev/sparse-file.ts";
import { decode, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { invalidParams, RpcError, undecodable } from "../rpc/rpc-error.ts";
import { allocatedClusters, clustersOf, countFromNow, type Lvol, setParent } from "./lvol.ts";
import { exclusively, isName, keep, type LvolContext } from "./lvol-context.ts";
import type { Lvstore } from "./lvstore.ts";
import { isLvol } from "./lvstores.ts";

/** What a copy of bytes becomes. */
interface CopySpec {
  readonly from: Bdev;
  readonly store: Lvstore;
  readonly name: string;
  readonly thin: boolean;
}

/** Snapshots, clones, and what parts them from one another. */
export function snapshotHandlers(context: LvolContext): Handlers {
  return { ...copyHandlers(context), ...parentHandlers(context) };
}

function copyHandlers({ state, version }: LvolContext): Handlers {
  const { lvstores } = state;
  const checkName = (store: Lvstore, name: string): void => {
    if (!isName(name)) throw invalidParams("EINVAL");
    if (store.has(name)) throw invalidParams("EEXIST");
  };
  /** Makes an lvol with the bytes of a bdev as they are at one moment. */
  const copy = async ({ from, store, name, thin }: CopySpec): Promise<Lvol> => {
    checkName(store, name);
    const lvol = store.newLvol({ name, numBlocks: sizeBytes(from) / BigInt(store.base.blockSize), thin });
    store.reserve(name);
    try {
      await state.whileQuiet(from, () => copyToNewFile(from, lvol.file));
      countFromNow(lvol, 0);
      store.add(lvol);
    } catch (error) {
      removeFile(lvol.file);
      throw error;
    } finally {
      store.release(name);
    }
    return lvol;
  };
  const clone = ofVersion(version, { snapshot_name: "string", clone_name: "string? -26.01" });
  const cloneNamed = { snapshot_name: "string", clone_name: "string" } as const;
  return {
    bdev_lvol_snapshot: (params = {}) => {
      const shape = { lvol_name: "string", snapshot_name: "string" } as const;
      const { lvol_name, snapshot_name } = decode(params, shape, undecodable());
      const lvol = lvstores.getLvol(lvol_name);
      if (lvol.isSnapshot) throw invalidParams("EINVAL");
      checkName(lvol.store, snapshot_name);
      return exclusively(lvol, invalidParams("EBUSY"), async () => {
        const snapshot = await copy({ from: lvol, store: lvol.store, name: snapshot_name, thin: lvol.thin });
        countFromNow(snapshot, allocatedClusters(lvol));
        Object.assign(snapshot, { isSnapshot: true, readOnly: true, externalParent: lvol.externalParent });
        setParent(snapshot, lvol.parent);
        setParent(lvol, snapshot);
        lvol.externalParent = undefined;
        lvol.thin = true;
        countFromNow(lvol, 0);
        await keep(snapshot, lvol);
        state.bdevs.add(snapshot);
        return snapshot.uuid;
      });
    },
    bdev_lvol_clone: (params = {}) => {
      const decoded = decode(params, version.from("26.05") ? cloneNamed : clone, undecodable());
      const { snapshot_name, clone_name = "" } = decoded;
      const snapshot = lvstores.getLvol(snapshot_name);
      if (!snapshot.isSnapshot && !snapshot.readOnly) throw invalidParams("EINVAL");
      checkName(snapshot.store, clone_name);
      return exclusively(snapshot, invalidParams("EBUSY"), async () => {
        const lvol = await copy({ from: snapshot, store: snapshot.store, name: clone_name, thin: true });
        setParent(lvol, snapshot);
        snapshot.isSnapshot = true;
        await keep(lvol, snapshot);
        state.bdevs.add(lvol);
        return lvol.uuid;
      });
    },
    bdev_lvol_clone_bdev: async (params = {}) => {
      const shape = { bdev: "string", lvs_name: "string", clone_name: "string" } as const;
      const { bdev, lvs_name, clone_name } = decode(params, shape, undecodable());
      const from = state.bdevs.find(bdev);
      if (from === undefined) throw new RpcError(-32602, "bdev does not exist");
      const store = lvstores.findByName(lvs_name);
      if (store === undefined) throw new RpcError(-32602, "lvs does not exist");
      if (isLvol(from) && from.store === store)
        throw new RpcError(-32602, "bdev is an lvol in same lvs as clone; use bdev_lvol_clone instead");
      if (sizeBytes(from) % BigInt(store.clusterSize) !== 0n) throw invalidParams("EINVAL");
      if (from.claim !== "none" && from.claim !== "external clones") throw invalidParams("EPERM");
      const lvol = await copy({ from, store, name: clone_name, thin: true });
      lvol.externalParent = from.uuid;
      from.claim = "external clones";
      await keep(lvol);
      state.bdevs.add(lvol);
      return lvol.uuid;
    },
  };
}

function parentHandlers({ state, version }: LvolContext): Handlers {
  const { lvstores } = state;
  const named = (params: object = {}): Lvol =>
    lvstores.getLvol(decode({ ...params }, { name: "string" }, undecodable()).name);
  const shape = { lvol_name: "string", parent_name: "string" } as const;
  return {
    bdev_lvol_inflate: (params) => {
      const lvol = named(params);
      return exclusively(lvol, invalidParams("EBUSY"), async () => {
        const { store, parent } = lvol;
        // Up to v24.01 the part beyond the snapshot is in the way.
        if (parent !== undefined && lvol.numBlocks > parent.numBlocks && !version.from("24.05"))
          throw invalidParams("EINVAL");
        if (lvol.thin && clustersOf(lvol) - allocatedClusters(lvol) > store.freeClusters) throw invalidParams("ENOSPC");
        setParent(lvol, undefined);
        state.releaseExternalParent(lvol);
        lvol.thin = false;
        countFromNow(lvol, clustersOf(lvol));
        await keep(lvol);
        return true;
      });
    },
    bdev_lvol_decouple_parent: (params) => {
      const lvol = named(params);
      return exclusively(lvol, invalidParams("EBUSY"), async () => {
        const { parent } = lvol;
        if (parent === undefined && lvol.externalParent === undefined) throw invalidParams("EINVAL");
        const inherited = parent === undefined ? clustersOf(lvol) : allocatedClusters(parent);
        countFromNow(lvol, Math.min(clustersOf(lvol), allocatedClusters(lvol) + inherited));
        setParent(lvol, parent?.parent);
        state.releaseExternalParent(lvol);
        await keep(lvol);
        return true;
      });
    },
    bdev_lvol_set_parent: (params = {}) => {
      const { lvol_name, parent_name } = decode(params, shape, undecodable());
      const lvol = lvstores.getLvol(lvol_name);
      const parent = lvstores.getLvol(parent_name);
      return exclusively(lvol, invalidParams("EBUSY"), async () => {
        if (!parent.isSnapshot || parent.store !== lvol.store || parent === lvol) throw invalidParams("EINVAL");
        if (lvol.parent === parent) throw invalidParams("EEXIST");
        if (parent.numBlocks !== lvol.numBlocks) throw invalidParams("EINVAL");
        await inherit(lvol, parent);
        setParent(lvol, parent);
        state.releaseExternalParent(lvol);
        await keep(lvol);
        return true;
      });
    },
    bdev_lvol_set_parent_bdev: (params = {}) => {
      const { lvol_name, parent_name } = decode(params, shape, undecodable());
      const lvol = lvstores.getLvol(lvol_name);
      const parent = state.bdevs.find(parent_name);
      if (parent === undefined) throw invalidParams("ENODEV");
      return exclusively(lvol, invalidParams("EBUSY"), async () => {
        if (lvol.externalParent === parent.uuid) throw invalidParams("EEXIST");
        if (isLvol(parent)) throw invalidParams("EINVAL");
        await inherit(lvol, parent);
        setParent(lvol, undefined);
        lvol.externalParent = parent.uuid;
        parent.claim = "external clones";
        await keep(lvol);
        return true;
      });
    },
  };
  /** What was never written shows the new parent. Which clusters were is not known: all or none. */
  async function inherit(lvol: Lvol, parent: Bdev): Promise<void> {
    if (allocatedClusters(lvol) > 0) return;
    const merged = `${lvol.file}.new`;
    await state.whileQuiet(parent, () => copyToNewFile(parent, merged));
    resizeSparse(merged, sizeBytes(lvol));
    await state.replaceFile(lvol, merged);
    countFromNow(lvol, 0);
  }
}
