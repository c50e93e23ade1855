import { CsiError } from "../csi-error.ts";
import type { Topology, TopologyRequirement } from "../gen/csi.ts";

/**
 * The place, out of those where a volume can be made, that fits a request's accessibility_requirements best: the first
 * preferred term that a place fits, else the first requisite one; without requisite terms the first place (CSI
 * TopologyRequirement). `available` is in the driver's own order of preference and may be anything that has segments,
 * such as a pool with room for the volume.
 *
 * A place fits a term unless they give one segment different values: what only one of them names decides nothing.
 *
 * @throws CsiError RESOURCE_EXHAUSTED when no place fits, with both in words (CSI CreateVolume "Unable to provision in
 * accessible_topology")
 */
export function chooseTopology<T extends Topology>(
  requirement: TopologyRequirement | undefined,
  available: readonly T[],
): T {
  const { requisite, preferred } = requirement ?? { requisite: [], preferred: [] };
  const allowed = requisite.length === 0 ? available : available.filter((place) => fitsAny(place, requisite));
  const best = [...preferred, ...requisite]
    .map((term) => allowed.find((place) => fits(place, term)))
    .find((place) => place !== undefined);
  const chosen = best ?? allowed[0];
  if (chosen !== undefined) return chosen;
  const wanted = requisite.length === 0 ? "" : ` in ${inWords(requisite)}`;
  const there = available.length === 0 ? "nowhere" : `in ${inWords(available)}`;
  throw CsiError.resourceExhausted(`no volume can be made${wanted}: there is room ${there}`);
}

/**
 * Whether a node in `node` reaches a volume whose accessible_topology is `accessible`: it has all segments of one of the
 * topologies, or there are none, which means everywhere (CSI Volume.accessible_topology).
 */
export function isAccessibleFrom(node: Topology, accessible: readonly Topology[]): boolean {
  const has = (segments: Topology["segments"]): boolean =>
    Object.entries(segments).every(([key, value]) => node.segments[key] === value);
  return accessible.length === 0 || accessible.some(({ segments }) => has(segments));
}

function fitsAny(place: Topology, terms: readonly Topology[]): boolean {
  return terms.some((term) => fits(place, term));
}

function fits(place: Topology, term: Topology): boolean {
  return Object.entries(term.segments).every(([key, value]) => (place.segments[key] ?? value) === value);
}

function inWords(places: readonly Topology[]): string {
  const segments = (place: Topology): string =>
    Object.entries(place.segments)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
  return places.map(segments).join(" or ");
}
