import type { NvmfSubsystem } from "@org/spdk-rpc";

import type { Portal } from "../config/target-config.ts";
import { hasListener, hasNamespace, hostsOf } from "../exports/export-parts.ts";
import { isNodeOf } from "../node-identity.ts";
import { subsystemNqn } from "../volumes/volume-id.ts";

/** What an operator should know of a volume's export. */
export const EXPORT_FLAGS = ["any-host", "half-exported", "other-hosts"] as const;

/** One of {@link EXPORT_FLAGS}. */
export type ExportFlag = (typeof EXPORT_FLAGS)[number];

/** Who can reach a volume. */
export interface VolumeExports {
  /** The subsystems that show it or bear its name, which is one where nobody exports by hand. */
  readonly nqns: readonly string[];
  /** Host NQNs of this cluster's nodes. */
  readonly nodes: readonly string[];
  /** Host NQNs of anybody else. */
  readonly others: readonly string[];
  readonly flags: readonly ExportFlag[];
}

/** Reads who can reach the volumes of a target. */
export function volumeExports(
  subsystems: readonly NvmfSubsystem[],
  { portals, cluster }: { readonly portals: readonly Portal[]; readonly cluster: string },
): (uuid: string) => VolumeExports {
  const byVolume = new Map<string, NvmfSubsystem[]>();
  for (const subsystem of subsystems) {
    for (const { bdev_name: uuid } of subsystem.namespaces ?? []) {
      byVolume.set(uuid, [...(byVolume.get(uuid) ?? []), subsystem]);
    }
  }
  const byNqn = new Map(subsystems.map((subsystem) => [subsystem.nqn, subsystem]));
  return (uuid) => {
    const own = byNqn.get(subsystemNqn(uuid));
    const all = [...new Set([...(own === undefined ? [] : [own]), ...(byVolume.get(uuid) ?? [])])];
    const hosts = [...new Set(all.flatMap(hostsOf))];
    const nodes = hosts.filter((host) => isNodeOf(cluster, host));
    const others = hosts.filter((host) => !nodes.includes(host));
    const is: Readonly<Record<ExportFlag, boolean>> = {
      "any-host": all.some(({ allow_any_host }) => allow_any_host),
      "half-exported": own !== undefined && !isWhole(own, uuid, portals),
      "other-hosts": others.length > 0,
    };
    return { nqns: all.map(({ nqn }) => nqn), nodes, others, flags: EXPORT_FLAGS.filter((flag) => is[flag]) };
  };
}

function isWhole(subsystem: NvmfSubsystem, uuid: string, portals: readonly Portal[]): boolean {
  const isOpenToSomebody = subsystem.allow_any_host || subsystem.hosts.length > 0;
  const listens = portals.every((portal) => hasListener(subsystem, portal));
  return isOpenToSomebody && listens && hasNamespace(subsystem, uuid);
}
