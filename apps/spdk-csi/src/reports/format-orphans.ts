import type { Orphan } from "./find-orphans.ts";
import { formatGaps, type Gap } from "./read-inventories.ts";
import { reportJson } from "./report-json.ts";

/** The orphans for people, each with the commands for whoever wants to look closer. */
export function formatOrphans(orphans: readonly Orphan[], gaps: readonly Gap[]): string {
  const closing =
    orphans.length === 0
      ? "no orphans\n"
      : "Nothing was deleted. A volume that is being provisioned has no PersistentVolume yet: look at each again later.\n";
  return `${orphans.map(formatOrphan).join("")}${closing}${passwordHint(orphans)}${formatGaps(gaps)}`;
}

function formatOrphan({ kind, id, alias, detail, look, remove }: Orphan): string {
  const lines = [
    `${kind} ${id}${alias === undefined ? "" : ` (${alias})`}: ${detail}`,
    `    look closer: ${look}`,
    `    delete:      ${remove ?? "not while somebody may use it"}`,
  ];
  return `${lines.join("\n")}\n\n`;
}

/** The command takes no password on its command line. */
function passwordHint(orphans: readonly Orphan[]): string {
  const isHttp = orphans.some(({ look }) => /-s https?:/.test(look));
  return isHttp ? "The commands take user and password from SPDK_RPC_USERNAME and SPDK_RPC_PASSWORD.\n" : "";
}

/** The orphans for programs. */
export function orphansJson(orphans: readonly Orphan[], gaps: readonly Gap[]): string {
  return reportJson({ orphans, incomplete: gaps });
}
