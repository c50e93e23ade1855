import { authenticationOf } from "../exports/authentication.ts";
import type { Inventory } from "../reports/inventory.ts";
import { rpcCommand } from "../reports/rpc-command.ts";
import { type ExportFlag, type VolumeExports, volumeExports } from "../reports/volume-exports.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";
import { type Finding, findingsOf, someOf } from "./finding.ts";

/** Whose volumes are looked at. */
export interface Owner {
  readonly cluster: string;
  readonly names: LvolNames;
}

interface Exported {
  readonly lvol: Lvol;
  readonly exports: VolumeExports;
}

/** Whether the cluster's volumes are exported whole, and to its own nodes alone. */
export function checkExports(
  target: Target,
  { lvols, subsystems }: Inventory,
  { cluster, names }: Owner,
): readonly Finding[] {
  const { ok, warning } = findingsOf(`target ${target.name}`, "exports");
  const exportsOf = volumeExports(subsystems, { portals: target.config.portals, cluster });
  const all = lvols
    .filter((lvol) => names.isVolume(lvol))
    .map((lvol) => ({ lvol, exports: exportsOf(lvol.uuid) }))
    .filter(({ exports }) => exports.nqns.length > 0);
  const flagged = (flag: ExportFlag) => all.filter(({ exports }) => exports.flags.includes(flag));
  const warn = (found: readonly Exported[], how: string, remedy: (first: Exported) => string): Finding[] => {
    const [first] = found;
    if (first === undefined) return [];
    const aliases = found.map(({ lvol }) => lvol.alias);
    return [warning(`${count(found.length)} ${how}: ${someOf(aliases)}`, remedy(first), aliases)];
  };
  const { config } = target;
  const unchecked = authenticationOf(config) === undefined ? [] : all.filter(isUnchecked(subsystems));
  const findings = [
    ...warn(flagged("any-host"), "open to any host", ({ exports: { nqns, nodes } }) =>
      nodes.length > 0
        ? `close it, its nodes stay: ${rpcCommand(config, "nvmf_subsystem_allow_any_host", { nqn: nqns[0], allow_any_host: false })}`
        : "it is closed with the unpublish and the next publish: let its pods move once",
    ),
    ...warn(
      flagged("half-exported"),
      "exported by half",
      ({ exports: { nqns } }) =>
        `the attacher publishes what is in use again; see what is there: ${rpcCommand(config, "nvmf_get_subsystems", { nqn: nqns[0] })}`,
    ),
    ...warn(
      flagged("other-hosts"),
      "open to hosts that are no nodes of this cluster",
      ({ exports: { nqns, others } }) =>
        `if it is a stranger: ${rpcCommand(config, "nvmf_subsystem_remove_host", { nqn: nqns[0], host: others[0] })}`,
    ),
    ...warn(
      unchecked,
      "open to hosts without a key, though keyDir asks for one",
      () => "let its pods move once: a publish admits nodes with their key",
    ),
  ];
  if (findings.length > 0) return findings;
  return [ok(all.length === 0 ? "no volume is exported" : `${count(all.length)} exported, whole and closed to others`)];
}

function isUnchecked(subsystems: Inventory["subsystems"]): (exported: Exported) => boolean {
  const byNqn = new Map(subsystems.map((subsystem) => [subsystem.nqn, subsystem]));
  return ({ exports }) =>
    exports.nqns.some((nqn) => byNqn.get(nqn)?.hosts.some(({ dhchap_key }) => dhchap_key === undefined) ?? false);
}

function count(volumes: number): string {
  return volumes === 1 ? "1 volume" : `${volumes} volumes`;
}
