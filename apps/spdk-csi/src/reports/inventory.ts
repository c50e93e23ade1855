import type { NvmfSubsystem } from "@org/spdk-rpc";

import { type Lvol, toLvol } from "../targets/lvol.ts";
import { type Lvstore, toLvstore } from "../targets/lvstore.ts";
import { missingLvstores } from "../targets/missing-lvstores.ts";
import type { Target } from "../targets/target.ts";

/** All that a target holds, as it was at one moment. */
export interface Inventory {
  /** Volumes and snapshots, of other clusters as well. */
  readonly lvols: readonly Lvol[];
  readonly lvstores: readonly Lvstore[];
  readonly subsystems: readonly NvmfSubsystem[];
  /** Which lvstore should be there and is not, in words; undefined when all are. */
  readonly missing: string | undefined;
}

/** Reads what a target holds, in one round trip. Changes nothing: not even base bdevs are attached again. */
export async function readInventory(target: Target): Promise<Inventory> {
  const [bdevs, stores, subsystems] = await Promise.all([
    target.call("bdev_get_bdevs"),
    target.call("bdev_lvol_get_lvstores"),
    target.call("nvmf_get_subsystems"),
  ]);
  const lvstores = stores.map(toLvstore);
  return {
    lvols: bdevs.flatMap((bdev) => toLvol(bdev) ?? []),
    lvstores,
    subsystems,
    missing: missingLvstores(lvstores, target.config.lvstores, new Map()),
  };
}
