import { withTargets } from "../reports/open-targets.ts";
import { readInventories } from "../reports/read-inventories.ts";
import { formatVolumes, volumesIn, volumesJson } from "../reports/volume-list.ts";
import { LvolNames } from "../volumes/lvol-names.ts";
import type { CommandIo } from "./command-io.ts";
import type { VolumesOptions } from "./options.ts";

/** Lists the cluster's volumes; 0 when all were listed, 1 when a target could not be asked, 2 for the configuration. */
export async function run(options: VolumesOptions, io: CommandIo): Promise<number> {
  const owner = { cluster: options.cluster, names: new LvolNames(options.cluster) };
  return withTargets(options, io, async (targets) => {
    const { held, gaps } = await readInventories(targets);
    const volumes = held.flatMap(({ target, inventory }) => volumesIn(target, inventory, owner));
    io.stdout.write((options.output === "json" ? volumesJson : formatVolumes)(volumes, gaps));
    return gaps.length > 0 ? 1 : 0;
  });
}
