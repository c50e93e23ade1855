import type { NvmfSubsystem } from "@org/spdk-rpc";

import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import { subsystemNqn } from "../volumes/volume-id.ts";
import { hasNamespace } from "./export-parts.ts";

/** An lvol and the subsystem that exports it, each as far as it is there. */
export interface FoundExport {
  readonly lvol: Lvol | undefined;
  readonly subsystem: NvmfSubsystem | undefined;
}

/**
 * Asks for an lvol and its subsystem in one write. A volume that somebody exported by hand has a subsystem of another
 * name: whoever holds an lvol that is claimed is looked for among all.
 */
export async function findExport(target: Target, uuid: string): Promise<FoundExport> {
  const [lvol, own] = await Promise.all([target.findLvol(uuid), target.findSubsystem(subsystemNqn(uuid))]);
  if (own !== undefined || lvol?.claimed !== true) return { lvol, subsystem: own };
  const subsystem = (await target.subsystems()).find((each) => hasNamespace(each, uuid));
  return { lvol, subsystem };
}
