import type { Topology, TopologyRequirement } from "@org/csi-framework";

import type { VolumeParameters } from "../parameters.ts";
import type { Lvstore } from "../targets/lvstore.ts";
import type { Target } from "../targets/target.ts";

/** An lvstore of a target. */
export interface Place {
  readonly target: Target;
  readonly lvstore: Lvstore;
}

/**
 * The places where a volume may be made, the best first: those that the topology prefers before others, and among equals
 * by the StorageClass's `placement`.
 */
export function orderPlaces(
  places: readonly Place[],
  { placement, lvstore }: Pick<VolumeParameters, "placement" | "lvstore">,
  requirement: TopologyRequirement | undefined,
): Place[] {
  const terms = [...(requirement?.preferred ?? []), ...(requirement?.requisite ?? [])];
  const isAllowed = (place: Place): boolean =>
    (lvstore === undefined || place.lvstore.name === lvstore) && isReachable(place.target, requirement);
  /** The first term that a place fits; what fits none comes last. */
  const rank = (place: Place): number => {
    const at = terms.findIndex((term) => fits(place.target, term));
    return at === -1 ? terms.length : at;
  };
  const better = ORDER[placement];
  return places.filter(isAllowed).toSorted((a, b) => rank(a) - rank(b) || better(a.lvstore, b.lvstore));
}

/** Whether volumes on the target are reached from where a request needs it. */
export function isReachable(target: Target, requirement: TopologyRequirement | undefined): boolean {
  const requisite = requirement?.requisite ?? [];
  return requisite.length === 0 || requisite.some((term) => fits(target, term));
}

/** A target without topology is reached from everywhere, and a segment that it does not name decides nothing. */
function fits({ config: { topology } }: Target, { segments }: Topology): boolean {
  return Object.entries(segments).every(([key, value]) => (topology[key] ?? value) === value);
}

const ORDER: Readonly<Record<VolumeParameters["placement"], (a: Lvstore, b: Lvstore) => number>> = {
  "most-free": (a, b) => compare(b.freeBytes, a.freeBytes),
  // By the share that is free: an lvstore of half the size gets half the volumes.
  spread: (a, b) => share(b) - share(a) || compare(b.freeBytes, a.freeBytes),
  pack: (a, b) => compare(a.freeBytes, b.freeBytes),
};

function share({ freeBytes, totalBytes }: Lvstore): number {
  return totalBytes === 0n ? 0 : Number((freeBytes * 1_000_000n) / totalBytes);
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
