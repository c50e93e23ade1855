import { createSparse, removeFile, resizeSparse } from "../bdev/sparse-file.ts";
import { decode, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, internal, invalidParams, undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import { allocatedClusters, clustersOf, countFromNow, describeLvol, type Lvol, setParent } from "./lvol.ts";
import {
  checkClearMethod,
  exclusively,
  isName,
  keep,
  type LvolContext,
  nextPoll,
  readSize,
  SIZE_SHAPE,
} from "./lvol-context.ts";
import { storedLvol } from "./lvstore-log.ts";

/** A thin lvol of more clusters than this takes more memory than a target has. */
const MAX_CLUSTERS = 2n ** 32n;

/** Lvols, but for their snapshots and clones. */
export function lvolHandlers(context: LvolContext): Handlers {
  const { state, version } = context;
  const { lvstores } = state;
  const resize = ofVersion(version, { name: "string", ...SIZE_SHAPE });
  return {
    bdev_lvol_get_lvols: (params = {}) => {
      const { lvs_uuid: uuid, lvs_name } = decode(params, { lvs_uuid: "string?", lvs_name: "string?" }, undecodable());
      const stores = uuid === undefined && lvs_name === undefined ? lvstores.all() : [lvstores.get({ uuid, lvs_name })];
      return stores.flatMap((store) => Array.from(store.lvols, (lvol) => describeLvol(lvol, version)));
    },
    ...createHandler(context),
    bdev_lvol_delete: async (params = {}) => {
      const lvol = lvstores.getLvol(decode(params, { name: "string" }, undecodable()).name);
      // Its bdev is closed first, and whoever comes meanwhile is served.
      await nextPoll();
      return exclusively(lvol, internal("EBUSY"), async () => {
        const { store, clones, parent } = lvol;
        if (clones.size > 1) throw internal("EPERM");
        const [clone] = clones;
        if (clone !== undefined) {
          // The only clone takes over what the snapshot held.
          countFromNow(clone, Math.min(clustersOf(clone), allocatedClusters(clone) + allocatedClusters(lvol)));
          setParent(clone, parent);
          clone.externalParent = lvol.externalParent;
        }
        state.dropBdev(lvol);
        store.delete(lvol);
        await store.log?.commit({ drop: [lvol.uuid], put: clone === undefined ? [] : [storedLvol(clone)] });
        removeFile(lvol.file);
        return true;
      });
    },
    bdev_lvol_resize: (params = {}) => {
      const { name, ...size } = decode(params, resize, undecodable());
      const bytes = readSize(size);
      const lvol = lvstores.getLvol(name);
      return exclusively(lvol, invalidParams("EBUSY"), async () => {
        if (lvol.readOnly) throw invalidParams("EPERM");
        const { store } = lvol;
        const clusterSize = BigInt(store.clusterSize);
        const clusters = ceilDiv(bytes, clusterSize);
        if (clusters >= MAX_CLUSTERS) throw invalidParams("ENOMEM");
        if (!lvol.thin && Number(clusters) - clustersOf(lvol) > store.freeClusters) throw invalidParams("ENOSPC");
        const sizeBytes = clusters * clusterSize;
        const numBlocks = sizeBytes / BigInt(lvol.blockSize);
        // A file is longer than what was kept, never shorter: bytes go when their loss is settled.
        if (numBlocks > lvol.numBlocks) resizeSparse(lvol.file, sizeBytes);
        state.bdevs.resize(lvol, numBlocks);
        await keep(lvol);
        resizeSparse(lvol.file, sizeBytes);
        return true;
      });
    },
    bdev_lvol_rename: async (params = {}) => {
      const { old_name, new_name } = decode(params, { old_name: "string", new_name: "string" }, undecodable());
      const lvol = lvstores.getLvol(old_name);
      if (!isName(new_name)) throw invalidParams("EINVAL");
      if (lvol.store.has(new_name)) throw invalidParams("EEXIST");
      // Metadata of snapshots is read-only; their names are part of it.
      if (lvol.isSnapshot || lvol.readOnly) throw invalidParams("EPERM");
      lvol.store.rename(lvol, new_name);
      state.bdevs.renamed(lvol);
      await keep(lvol);
      return true;
    },
    bdev_lvol_set_read_only: async (params = {}) => {
      const lvol = lvstores.getLvol(decode(params, { name: "string" }, undecodable()).name);
      countFromNow(lvol, allocatedClusters(lvol));
      lvol.readOnly = true;
      await keep(lvol);
      return true;
    },
  };
}

function createHandler({ state, version }: LvolContext): Handlers {
  const shape = ofVersion(version, {
    uuid: "string?",
    lvs_name: "string?",
    lvol_name: "string",
    thin_provision: "boolean?",
    clear_method: "string?",
    ...SIZE_SHAPE,
  });
  return {
    bdev_lvol_create: (params = {}) => {
      const {
        uuid,
        lvs_name,
        lvol_name,
        thin_provision: thin = false,
        clear_method,
        ...size
      } = decode(params, shape, undecodable());
      if (version.from("25.09")) checkClearMethod(clear_method, version, "");
      const bytes = readSize(size);
      const store = state.lvstores.get({ uuid, lvs_name });
      checkClearMethod(clear_method, version, "Invalid clean_method option");
      if (!isName(lvol_name)) throw errno("EINVAL");
      if (store.has(lvol_name)) throw errno("EEXIST");
      const clusters = ceilDiv(bytes, BigInt(store.clusterSize));
      if (clusters >= MAX_CLUSTERS) throw invalidParams("ENOMEM");
      if (!thin && Number(clusters) > store.freeClusters) throw invalidParams("ENOSPC");
      const sizeBytes = clusters * BigInt(store.clusterSize);
      const lvol = store.newLvol({ name: lvol_name, numBlocks: sizeBytes / BigInt(store.base.blockSize), thin });
      createSparse(lvol.file, sizeBytes);
      store.add(lvol);
      return register(lvol, state);
    },
  };
}

/** The bdev comes in a later poll than the lvol: a get that was sent along does not find it. */
async function register(lvol: Lvol, state: TargetState): Promise<string> {
  await nextPoll();
  await keep(lvol);
  state.bdevs.add(lvol);
  return lvol.uuid;
}

/** Rounds a quotient up. */
function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
