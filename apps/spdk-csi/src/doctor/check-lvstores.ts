import type { Inventory } from "../reports/inventory.ts";
import { rpcCommand } from "../reports/rpc-command.ts";
import type { Lvstore } from "../targets/lvstore.ts";
import type { Target } from "../targets/target.ts";
import { humanBytes } from "../volumes/capacity.ts";
import { type Finding, findingsOf } from "./finding.ts";

/** With less than a tenth free, thin volumes may soon be unable to grow into theirs. */
const LITTLE = 10n;

/** Whether the lvstores that take volumes are there, and have room. */
export function checkLvstores(target: Target, { lvstores }: Inventory): readonly Finding[] {
  const { name, config } = target;
  const { failed } = findingsOf(`target ${name}`, "lvstores");
  const wanted = config.lvstores ?? lvstores.map((store) => store.name);
  const used = lvstores.filter((store) => wanted.includes(store.name));
  const missing = wanted.filter((each) => !used.some((store) => store.name === each));
  const lacking = [
    ...missing.map((each) => failed(`lvstore ${each} of the configuration is not there`, remedy(target, each))),
    ...(wanted.length === 0 ? [failed("the target has no lvstore", remedy(target, "lvs0"))] : []),
  ];
  return [...lacking, ...used.map((store) => checkSpace(target, store))];
}

function remedy({ config }: Target, lvstore: string): string {
  const params = { bdev_name: "BDEV", lvs_name: lvstore };
  return config.bdevs.length > 0
    ? "see the line on bdevs: the controller attaches them with its next call"
    : `attach the bdev that holds it; on an empty one: ${rpcCommand(config, "bdev_lvol_create_lvstore", params)}`;
}

function checkSpace({ name }: Target, store: Lvstore): Finding {
  const { ok, warning } = findingsOf(`target ${name}`, "lvstores");
  const { freeBytes, totalBytes, clusterSizeBytes } = store;
  const what = `${store.name}: ${humanBytes(freeBytes)} of ${humanBytes(totalBytes)} free, in clusters of ${humanBytes(clusterSizeBytes)}`;
  if (freeBytes < clusterSizeBytes) {
    return warning(
      `${what}: full, so that thin volumes take nothing new`,
      "delete volumes or snapshots, or grow its bdev",
    );
  }
  if (freeBytes * LITTLE < totalBytes) return warning(what, "delete volumes or snapshots, or grow its bdev");
  return ok(what);
}
