import { NODE_NQN_PREFIX } from "../node-identity.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import { humanBytes } from "../volumes/capacity.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";
import { formatVolumeId } from "../volumes/volume-id.ts";
import { type Ancestry, ancestryIn } from "./ancestry.ts";
import { formatTable } from "./format-table.ts";
import type { Inventory } from "./inventory.ts";
import { formatGaps, type Gap } from "./read-inventories.ts";
import { reportJson } from "./report-json.ts";
import { type VolumeExports, volumeExports } from "./volume-exports.ts";

/** A volume as the report shows it. */
export interface ReportedVolume extends Ancestry {
  readonly id: string;
  readonly name: string;
  readonly target: string;
  readonly lvstore: string;
  readonly sizeBytes: bigint;
  /** What it has allocated for itself; undefined where the target does not tell (before v24.05). */
  readonly allocatedBytes: bigint | undefined;
  readonly thin: boolean;
  readonly exports: VolumeExports;
}

/** The volumes of a cluster in what a target holds. */
export function volumesIn(
  { name: target, config: { portals } }: Target,
  { lvols, lvstores, subsystems }: Inventory,
  { cluster, names }: { readonly cluster: string; readonly names: LvolNames },
): readonly ReportedVolume[] {
  const exportsOf = volumeExports(subsystems, { portals, cluster });
  const ancestryOf = ancestryIn(lvols, names);
  const clusterSizes = new Map(lvstores.map((store) => [store.name, store.clusterSizeBytes]));
  const allocated = ({ allocatedClusters, lvstore }: Lvol): bigint | undefined => {
    const size = clusterSizes.get(lvstore);
    return allocatedClusters === undefined || size === undefined ? undefined : allocatedClusters * size;
  };
  return lvols
    .filter((lvol) => names.isVolume(lvol))
    .map((lvol) => ({
      id: formatVolumeId(target, lvol.uuid),
      name: lvol.name,
      target,
      lvstore: lvol.lvstore,
      sizeBytes: lvol.sizeBytes,
      allocatedBytes: allocated(lvol),
      thin: lvol.thin,
      ...ancestryOf(lvol),
      exports: exportsOf(lvol.uuid),
    }));
}

const HEAD = ["ID", "NAME", "TARGET", "LVSTORE", "SIZE", "ALLOCATED", "KIND", "SOURCE", "DEPTH", "NODES", "FLAGS"];

/** The volumes for people; targets that are missing from the list have a line of their own below it. */
export function formatVolumes(volumes: readonly ReportedVolume[], gaps: readonly Gap[]): string {
  const rows = volumes.map(({ id, name, target, lvstore, thin, source, chainDepth, exports, ...sizes }) => [
    id,
    name,
    target,
    lvstore,
    humanBytes(sizes.sizeBytes),
    sizes.allocatedBytes === undefined ? "-" : humanBytes(sizes.allocatedBytes),
    thin ? "thin" : "thick",
    source === undefined ? "-" : `${source.kind} ${source.uuid}`,
    String(chainDepth),
    exports.nodes.map(nodeName).join(",") || "-",
    exports.flags.join(",") || "-",
  ]);
  const table = rows.length === 0 ? "no volumes\n" : formatTable([HEAD, ...rows]);
  return `${table}${formatGaps(gaps)}`;
}

/** The volumes for programs. */
export function volumesJson(volumes: readonly ReportedVolume[], gaps: readonly Gap[]): string {
  const listed = volumes.map(({ exports: { nqns, nodes, others, flags }, ...volume }) => ({
    ...volume,
    subsystems: nqns,
    nodes,
    otherHosts: others,
    flags,
  }));
  return reportJson({ volumes: listed, incomplete: gaps });
}

/** A node's own name, as `--nodeid` had it. */
function nodeName(nqn: string): string {
  return nqn.slice(nqn.indexOf(":", NODE_NQN_PREFIX.length) + 1);
}
