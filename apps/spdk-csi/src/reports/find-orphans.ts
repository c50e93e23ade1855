import type { NvmfSubsystem } from "@org/spdk-rpc";

import type { TargetConfig } from "../config/target-config.ts";
import { hostsOf } from "../exports/export-parts.ts";
import { isNodeOf } from "../node-identity.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import { humanBytes } from "../volumes/capacity.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";
import { formatVolumeId, lvolOfNqn } from "../volumes/volume-id.ts";
import type { Inventory } from "./inventory.ts";
import { rpcCommand } from "./rpc-command.ts";
import { type VolumeExports, volumeExports } from "./volume-exports.ts";

/** Something on a target that nothing seems to need. */
export interface Orphan {
  readonly kind: "volume" | "export" | "snapshot" | "tombstone" | "generation";
  readonly target: string;
  /** A volume id or an NQN. */
  readonly id: string;
  /** `<lvstore>/<name>`; absent for an export. */
  readonly alias?: string;
  /** What is known of it, and why it is named. */
  readonly detail: string;
  /** The command that shows more. */
  readonly look: string;
  /** The command that deletes it, for whoever is sure. Absent where somebody may use it. */
  readonly remove?: string;
}

/** Whose volumes are judged, and which of them are wanted. */
export interface OrphanSearch {
  readonly cluster: string;
  readonly names: LvolNames;
  /** Uuids of the lvols that have a PersistentVolume. */
  readonly known: ReadonlySet<string>;
}

/** Names that the provisioner makes: the claim's uid behind the prefix, or our hash of another name. */
const PROVISIONED = /^(?:pvc-|v-[0-9a-f]{40}$)/;

/** What nothing seems to need of a cluster's things on a target. Other clusters' and other names are never named. */
export function findOrphans(target: Target, inventory: Inventory, search: OrphanSearch): readonly Orphan[] {
  const { config } = target;
  const hidden = findHidden(target, inventory.lvols, search.names);
  // Where an lvstore is missing, so are lvols, and their exports have not lost them.
  const lost = inventory.missing === undefined ? findLostExports(target, inventory, search.cluster) : [];
  const exportsOf = volumeExports(inventory.subsystems, { portals: config.portals, cluster: search.cluster });
  const volumes = inventory.lvols
    .filter((lvol) => isProvisioned(search, lvol) && !search.known.has(lvol.uuid))
    .map((lvol) => orphanedVolume(target, lvol, exportsOf(lvol.uuid)));
  return [...volumes, ...lost, ...hidden];
}

function isProvisioned({ names, cluster }: OrphanSearch, lvol: Lvol): boolean {
  const own = cluster === "default" ? lvol.name : lvol.name.slice(cluster.length + 1);
  // SPDK may have forgotten that a snapshot is one; that it takes no writes it has not.
  return names.isVolume(lvol) && !lvol.isReadOnly && PROVISIONED.test(own);
}

function orphanedVolume({ name: target, config }: Target, lvol: Lvol, exports: VolumeExports): Orphan {
  const hosts = [...exports.nodes, ...exports.others];
  const isUsed = exports.nqns.length > 0 || lvol.claimed;
  const use =
    hosts.length > 0 ? `published to ${hosts.join(", ")}` : isUsed ? "held by a subsystem or module" : "not exported";
  return {
    ...lvolOrphan("volume", { target, config }, lvol),
    detail: `${humanBytes(lvol.sizeBytes)} ${lvol.thin ? "thin" : "thick"}, ${lvol.provenBlank ? "blank" : "may hold data"}, ${use}`,
    ...(!isUsed && { remove: deleteCommand(config, lvol) }),
  };
}

/** Snapshots, tombstones and generations that no user sees, and that the next sweep of the controller deletes. */
function findHidden(target: Target, lvols: readonly Lvol[], names: LvolNames): readonly Orphan[] {
  const byUuid = new Map(lvols.map((lvol) => [lvol.uuid, lvol]));
  return lvols.flatMap((lvol): Orphan[] => {
    const name = names.parse(lvol.name);
    if (name.kind === "internal" && lvol.clones.length < 2) return [unneeded("snapshot", target, lvol)];
    if (name.kind === "generation" && !byUuid.has(name.volumeUuid)) return [unneeded("generation", target, lvol)];
    if (name.kind !== "tombstone") return [];
    const buried = byUuid.get(name.snapshotUuid);
    if (buried === undefined) return [unneeded("tombstone", target, lvol)];
    return buried.clones.length < 2 ? [unneeded("snapshot", target, buried), unneeded("tombstone", target, lvol)] : [];
  });
}

const UNNEEDED = {
  snapshot: "hidden, and under fewer than two clones",
  tombstone: "marks a snapshot as deleted that is gone or not needed",
  generation: "tells who had a volume that is gone",
} as const;

function unneeded(kind: keyof typeof UNNEEDED, { name: target, config }: Target, lvol: Lvol): Orphan {
  return {
    ...lvolOrphan(kind, { target, config }, lvol),
    detail: `${UNNEEDED[kind]}: the controller deletes it at its start and with the next delete on this target`,
    remove: deleteCommand(config, lvol),
  };
}

/** Subsystems of the driver's whose lvol is gone, unless hosts of others are admitted to them. */
function findLostExports(target: Target, { lvols, subsystems }: Inventory, cluster: string): readonly Orphan[] {
  const present = new Set(lvols.map(({ uuid }) => uuid));
  const isLost = (subsystem: NvmfSubsystem): boolean => {
    const uuid = lvolOfNqn(subsystem.nqn);
    const shows = subsystem.namespaces ?? [];
    const isOthers = hostsOf(subsystem).some((host) => !isNodeOf(cluster, host));
    return uuid !== undefined && !present.has(uuid) && shows.length === 0 && !isOthers;
  };
  const { config } = target;
  return subsystems.filter(isLost).map((subsystem) => {
    const { nqn } = subsystem;
    const hosts = hostsOf(subsystem);
    return {
      kind: "export" as const,
      target: target.name,
      id: nqn,
      detail: `its lvol is gone; ${hosts.length > 0 ? `admits ${hosts.join(", ")}` : "admits nobody by name"}`,
      look: rpcCommand(config, "nvmf_subsystem_get_controllers", { nqn }),
      remove: rpcCommand(config, "nvmf_delete_subsystem", { nqn }),
    };
  });
}

interface Place {
  readonly target: string;
  readonly config: TargetConfig;
}

function lvolOrphan(kind: Orphan["kind"], { target, config }: Place, { uuid, alias }: Lvol) {
  const look = rpcCommand(config, "bdev_get_bdevs", { name: uuid });
  return { kind, target, id: formatVolumeId(target, uuid), alias, look };
}

function deleteCommand(config: TargetConfig, { uuid }: Lvol): string {
  return rpcCommand(config, "bdev_lvol_delete", { name: uuid });
}
