import type { Field } from "./document.ts";

/** How Kubernetes spells a label's name and its value, which CSI asks of topology segments as well. */
const NAME = /^[a-z0-9](?:[-\w.]{0,61}[a-z0-9])?$/i;
const PREFIX = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** CSI is stricter here than Kubernetes, whose limit is 253. */
const MAX_PREFIX = 63;

/** What is wrong with a segment of a topology; undefined when nothing is (CSI Topology.segments). */
export function findTopologyProblem(key: string, value: string): string | undefined {
  const [name = "", prefix, ...more] = key.split("/").toReversed();
  const isKey =
    NAME.test(name) &&
    (prefix === undefined || (PREFIX.test(prefix) && prefix.length <= MAX_PREFIX)) &&
    more.length === 0;
  if (!isKey) return "must have a key like that of a Kubernetes label, as in topology.kubernetes.io/zone";
  if (!NAME.test(value)) {
    return "must have a value like that of a Kubernetes label: 1 to 63 letters, digits, '-', '_' or '.', the first and the last a letter or digit";
  }
  return undefined;
}

/** Whether `keys` has `key` in another spelling: CSI takes Zone and zone for the same. */
export function hasOtherSpelling(keys: Iterable<string>, key: string): boolean {
  return [...keys].some((other) => other !== key && other.toLowerCase() === key.toLowerCase());
}

/** Reads a target's topology: an object of labels and their values. */
export function readTopology(field: Field): Readonly<Record<string, string>> {
  if (!field.isGiven) return {};
  const segments = new Map<string, string>();
  for (const [key, label] of field.entries() ?? []) {
    const value = label.text();
    const problem = value === "" ? undefined : findTopologyProblem(key, value);
    if (problem !== undefined) label.fail(problem);
    if (hasOtherSpelling(segments.keys(), key)) label.fail("stands there twice, in two spellings");
    segments.set(key, value);
  }
  return Object.fromEntries(segments);
}
