import { allocatedBytes, copySparse, createSparse, removeFile, resizeSparse } from "../bdev/sparse-file.ts";
import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, internal, invalidParams, RpcError, undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import { ceilDiv, type Lvol, Lvstore } from "./lvstore.ts";

const MIB = 1024n ** 2n;
const MAX_NAME_BYTES = 63;
/** A thin lvol of more clusters than this takes more memory than a target has. */
const MAX_CLUSTERS = 2n ** 32n;

/** The two ways in which versions take sizes; which of them a version knows is checked behind. */
const SIZE_SHAPE = { size_in_mib: "uint64?", size: "uint64?" } as const;

interface SizeParameters {
  readonly size_in_mib: bigint | undefined;
  readonly size: bigint | undefined;
}

/** Logical volumes: lvstores, lvols, snapshots, clones. */
export function lvolHandlers(state: TargetState, version: Version): Handlers {
  const get = (name: string): Lvol => {
    const lvol = state.findLvol(name);
    if (lvol === undefined) throw errno("ENODEV");
    return lvol;
  };
  /** Runs an operation that takes time; a second one on the same lvol meanwhile is refused. */
  const exclusively = async <T>(lvol: Lvol, busy: RpcError, work: () => Promise<T>): Promise<T> => {
    if (lvol.busy) throw busy;
    lvol.busy = true;
    try {
      // A real target's metadata operations end in a later poll than they began.
      await new Promise((resolve) => setImmediate(resolve));
      return await work();
    } finally {
      lvol.busy = false;
    }
  };
  const assertFree = (store: Lvstore, name: string): void => {
    if (name === "" || Buffer.byteLength(name) > MAX_NAME_BYTES) throw invalidParams("EINVAL");
    if (store.findLvol(name) !== undefined) throw invalidParams("EEXIST");
  };
  const sizeOf = ({ size_in_mib: mib, size: bytes }: SizeParameters): bigint => {
    const known = (mib === undefined || version.from("23.05")) && (bytes === undefined || !version.from("24.05"));
    if (!known || (mib === undefined) === (bytes === undefined)) throw undecodable();
    return bytes ?? (mib ?? 0n) * MIB;
  };
  const findStore = ({
    uuid,
    lvs_name,
  }: {
    readonly uuid?: string | undefined;
    readonly lvs_name?: string | undefined;
  }): Lvstore => {
    if ((uuid === undefined) === (lvs_name === undefined)) throw errno("EINVAL");
    const store = [...state.lvstores].find((each) =>
      uuid === undefined ? each.name === lvs_name : each.uuid === uuid,
    );
    if (store === undefined) throw errno("ENODEV");
    return store;
  };
  const describeStore = (store: Lvstore): object => ({
    uuid: store.uuid,
    name: store.name,
    base_bdev: store.base.name,
    total_data_clusters: store.totalClusters,
    free_clusters: store.freeClusters,
    block_size: store.base.blockSize,
    cluster_size: store.clusterSize,
    max_growable_size: BigInt(store.clusterSize) * 32728n + 4096n * 1024n,
  });

  return {
    bdev_lvol_create_lvstore: (params = {}) => {
      const shape = {
        bdev_name: "string",
        lvs_name: "string",
        cluster_sz: "uint32?",
        clear_method: "string?",
        num_md_pages_per_cluster_ratio: "uint32?",
        md_page_size: "uint32?",
      } as const;
      const {
        bdev_name,
        lvs_name,
        cluster_sz = 4194304,
        clear_method = "unmap",
      } = decode(params, shape, undecodable());
      if (!["none", "unmap", "write_zeroes"].includes(clear_method)) throw undecodable();
      if (lvs_name === "" || Buffer.byteLength(lvs_name) > MAX_NAME_BYTES) throw errno("EINVAL");
      const base = state.bdevs.get(bdev_name);
      if (base.claim === "nvmf") throw invalidParams("EPERM");
      if (base.claim !== "none") throw errno("EPERM");
      if (cluster_sz < base.blockSize || cluster_sz % 4096 !== 0) throw errno("EINVAL");
      if ([...state.lvstores].some((store) => store.name === lvs_name)) throw errno("EEXIST");
      const store = new Lvstore(state.dir, base, lvs_name, cluster_sz);
      if (store.totalClusters <= 0n) throw invalidParams("EINVAL");
      base.claim = "lvstore";
      state.lvstores.add(store);
      store.mark();
      store.save();
      return store.uuid;
    },
    bdev_lvol_delete_lvstore: (params = {}) => {
      const store = findStore(decode(params, { uuid: "string?", lvs_name: "string?" }, undecodable()));
      for (const lvol of store.lvols) {
        state.dropBdev(lvol);
        removeFile(lvol.file);
      }
      state.lvstores.delete(store);
      store.base.claim = "none";
      store.unmark();
      return true;
    },
    bdev_lvol_rename_lvstore: (params = {}) => {
      const { old_name, new_name } = decode(params, { old_name: "string", new_name: "string" }, undecodable());
      const store = [...state.lvstores].find((each) => each.name === old_name);
      if (store === undefined) throw new RpcError(-2, `Lvol store ${old_name} not found`);
      if ([...state.lvstores].some((each) => each.name === new_name)) throw invalidParams("EEXIST");
      store.name = new_name;
      store.save();
      return true;
    },
    bdev_lvol_grow_lvstore: (params = {}) => {
      findStore(decode(params, { uuid: "string?", lvs_name: "string?" }, undecodable()));
      return true;
    },
    bdev_lvol_get_lvstores: (params) => {
      const stores =
        params === undefined
          ? [...state.lvstores]
          : [findStore(decode(params, { uuid: "string?", lvs_name: "string?" }, undecodable()))];
      return stores.map(describeStore);
    },
    bdev_lvol_get_lvols: (params = {}) => {
      const { lvs_uuid: uuid, lvs_name } = decode(params, { lvs_uuid: "string?", lvs_name: "string?" }, undecodable());
      const stores =
        uuid === undefined && lvs_name === undefined ? [...state.lvstores] : [findStore({ uuid, lvs_name })];
      return stores.flatMap((store) =>
        [...store.lvols].map((lvol) => ({
          alias: lvol.aliases()[0],
          uuid: lvol.uuid,
          name: lvol.lvolName,
          is_thin_provisioned: lvol.thin,
          is_snapshot: lvol.isSnapshot,
          is_clone: lvol.parent !== undefined,
          is_esnap_clone: false,
          is_degraded: false,
          num_allocated_clusters: store.allocatedClusters(lvol),
          lvs: { name: store.name, uuid: store.uuid },
        })),
      );
    },
    bdev_lvol_create: (params = {}) => {
      const shape = {
        uuid: "string?",
        lvs_name: "string?",
        lvol_name: "string",
        thin_provision: "boolean?",
        clear_method: "string?",
        ...SIZE_SHAPE,
      } as const;
      const {
        uuid,
        lvs_name,
        lvol_name,
        thin_provision: thin = false,
        clear_method = "unmap",
        ...size
      } = decode(params, shape, undecodable());
      if (!["none", "unmap", "write_zeroes"].includes(clear_method)) throw undecodable();
      const bytes = sizeOf(size);
      const store = findStore({ uuid, lvs_name });
      if (lvol_name === "" || Buffer.byteLength(lvol_name) > MAX_NAME_BYTES) throw errno("EINVAL");
      if (store.findLvol(lvol_name) !== undefined) throw errno("EEXIST");
      const clusters = ceilDiv(bytes, BigInt(store.clusterSize));
      if (clusters >= MAX_CLUSTERS) throw invalidParams("ENOMEM");
      if (!thin && clusters > store.freeClusters) throw invalidParams("ENOSPC");
      const sizeBytes = clusters * BigInt(store.clusterSize);
      const lvol = store.addLvol({ name: lvol_name, numBlocks: sizeBytes / BigInt(store.base.blockSize), thin });
      createSparse(lvol.file, sizeBytes);
      state.bdevs.add(lvol);
      store.save();
      return lvol.uuid;
    },
    bdev_lvol_delete: async (params = {}) => {
      const lvol = get(decode(params, { name: "string" }, undecodable()).name);
      return exclusively(lvol, internal("EBUSY"), async () => {
        const { store } = lvol;
        const clones = store.clonesOf(lvol);
        if (clones.length > 1) throw internal("EPERM");
        for (const clone of clones) {
          // The clone takes over what its only snapshot held.
          clone.parent = lvol.parent;
          clone.baselineBytes = lvol.baselineBytes;
          if (clone.parent === undefined && !lvol.thin) clone.thin = false;
        }
        state.dropBdev(lvol);
        store.lvols.delete(lvol);
        store.save();
        removeFile(lvol.file);
        return true;
      });
    },
    bdev_lvol_snapshot: async (params = {}) => {
      const { lvol_name, snapshot_name } = decode(
        params,
        { lvol_name: "string", snapshot_name: "string" },
        undecodable(),
      );
      const lvol = get(lvol_name);
      const { store } = lvol;
      return exclusively(lvol, invalidParams("EBUSY"), async () => {
        if (lvol.isSnapshot || Buffer.byteLength(snapshot_name) > MAX_NAME_BYTES) throw invalidParams("EINVAL");
        assertFree(store, snapshot_name);
        const snapshot = store.addLvol({ name: snapshot_name, numBlocks: lvol.numBlocks, thin: lvol.thin });
        Object.assign(snapshot, {
          isSnapshot: true,
          readOnly: true,
          parent: lvol.parent,
          baselineBytes: lvol.baselineBytes,
        });
        try {
          await state.files.whileQuiet(lvol.file, async () => {
            await copySparse(lvol.file, snapshot.file);
            lvol.baselineBytes = allocatedBytes(lvol.file);
          });
        } catch (error) {
          store.lvols.delete(snapshot);
          removeFile(snapshot.file);
          throw error;
        }
        state.bdevs.add(snapshot);
        lvol.parent = snapshot;
        lvol.thin = true;
        store.save();
        return snapshot.uuid;
      });
    },
    bdev_lvol_clone: async (params = {}) => {
      const { snapshot_name, clone_name } = decode(
        params,
        { snapshot_name: "string", clone_name: "string" },
        undecodable(),
      );
      const snapshot = get(snapshot_name);
      const { store } = snapshot;
      return exclusively(snapshot, invalidParams("EBUSY"), async () => {
        if (!snapshot.isSnapshot && !snapshot.readOnly) throw invalidParams("EINVAL");
        assertFree(store, clone_name);
        const clone = store.addLvol({ name: clone_name, numBlocks: snapshot.numBlocks, thin: true });
        try {
          await state.files.whileQuiet(snapshot.file, () => copySparse(snapshot.file, clone.file));
        } catch (error) {
          store.lvols.delete(clone);
          removeFile(clone.file);
          throw error;
        }
        clone.parent = snapshot;
        clone.baselineBytes = allocatedBytes(clone.file);
        snapshot.isSnapshot = true;
        state.bdevs.add(clone);
        store.save();
        return clone.uuid;
      });
    },
    bdev_lvol_resize: async (params = {}) => {
      const { name, ...size } = decode(params, { name: "string", ...SIZE_SHAPE } as const, undecodable());
      const bytes = sizeOf(size);
      const lvol = get(name);
      return exclusively(lvol, invalidParams("EBUSY"), async () => {
        if (lvol.readOnly) throw invalidParams("EPERM");
        const { store } = lvol;
        const clusterSize = BigInt(store.clusterSize);
        const clusters = ceilDiv(bytes, clusterSize);
        const now = (lvol.numBlocks * BigInt(lvol.blockSize)) / clusterSize;
        if (!lvol.thin && clusters - now > store.freeClusters) throw invalidParams("ENOSPC");
        resizeSparse(lvol.file, clusters * clusterSize);
        state.bdevs.resize(lvol, (clusters * clusterSize) / BigInt(lvol.blockSize));
        store.save();
        return true;
      });
    },
    bdev_lvol_rename: (params = {}) => {
      const { old_name, new_name } = decode(params, { old_name: "string", new_name: "string" }, undecodable());
      const lvol = get(old_name);
      assertFree(lvol.store, new_name);
      // Metadata of snapshots is read-only; their names are part of it.
      if (lvol.isSnapshot || lvol.readOnly) throw invalidParams("EPERM");
      lvol.lvolName = new_name;
      lvol.store.save();
      return true;
    },
    bdev_lvol_set_read_only: (params = {}) => {
      const lvol = get(decode(params, { name: "string" }, undecodable()).name);
      lvol.readOnly = true;
      lvol.store.save();
      return true;
    },
    bdev_lvol_inflate: (params = {}) => {
      const lvol = get(decode(params, { name: "string" }, undecodable()).name);
      const { store } = lvol;
      const clusters = ceilDiv(lvol.numBlocks * BigInt(lvol.blockSize), BigInt(store.clusterSize));
      if (lvol.thin && clusters - store.allocatedClusters(lvol) > store.freeClusters) throw invalidParams("ENOSPC");
      Object.assign(lvol, { parent: undefined, thin: false, baselineBytes: 0n });
      store.save();
      return true;
    },
    bdev_lvol_decouple_parent: (params = {}) => {
      const lvol = get(decode(params, { name: "string" }, undecodable()).name);
      if (lvol.parent === undefined) throw invalidParams("EINVAL");
      Object.assign(lvol, { parent: lvol.parent.parent, baselineBytes: lvol.parent.baselineBytes });
      lvol.store.save();
      return true;
    },
  };
}
