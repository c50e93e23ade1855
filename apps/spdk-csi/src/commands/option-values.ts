import { dirname, join } from "node:path";

import { findTopologyProblem, hasOtherSpelling } from "../config/topology.ts";
import { assertCluster } from "../node-identity.ts";
import { type FlagValues, lastOf, UsageError } from "./flags.ts";

/** Reads --cluster. */
export function parseCluster(values: FlagValues): string {
  const cluster = lastOf(values, "cluster") ?? "default";
  try {
    assertCluster(cluster);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return cluster;
}

/** Reads all of --topology's values: key=value, several with commas between them. */
export function parseTopology(lists: readonly string[]): Readonly<Record<string, string>> {
  const segments = new Map<string, string>();
  for (const segment of lists.flatMap((list) => list.split(","))) {
    const [, key = "", value = ""] = /^([^=]*)=(.*)$/s.exec(segment) ?? [];
    const isTwice = (segments.get(key) ?? value) !== value || hasOtherSpelling(segments.keys(), key);
    const problem = isTwice ? "stands there twice" : findTopologyProblem(key, value);
    if (problem !== undefined) throw new UsageError(`--topology "${segment}" ${problem}`);
    segments.set(key, value);
  }
  return Object.fromEntries(segments);
}

/** Reads a whole number. */
export function parseInteger(
  name: string,
  values: FlagValues,
  { min, fallback }: { readonly min: number; readonly fallback: number },
): number {
  const text = lastOf(values, name) ?? String(fallback);
  if (/^\d{1,6}$/.test(text) && Number(text) >= min) return Number(text);
  throw new UsageError(`--${name} "${text}": use a whole number from ${min} to 999999`);
}

/** Reads --rpc-timeout, in milliseconds. Timers take 2^31; an hour is more than anybody waits for. */
export function parseRpcTimeout(values: FlagValues, fallbackSeconds: number): number {
  const text = lastOf(values, "rpc-timeout") ?? String(fallbackSeconds);
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds >= 0.001 && seconds <= 3_600) return Math.round(seconds * 1_000);
  throw new UsageError(`--rpc-timeout "${text}": use a number of seconds, at most 3600`);
}

/** Reads one of several words. */
export function parseWord<T extends string>(name: string, values: FlagValues, words: readonly T[], fallback: T): T {
  const text = lastOf(values, name) ?? fallback;
  const word = words.find((each) => each === text);
  if (word === undefined) throw new UsageError(`--${name} "${text}": write ${words.join(", ")}`);
  return word;
}

/** Reads klog's level. */
export function parseVerbosity(values: FlagValues): number {
  const text = lastOf(values, "v") ?? "0";
  if (!/^-?\d{1,9}$/.test(text)) throw new UsageError(`--v "${text}": use a whole number`);
  return Number(text);
}

/** An endpoint as it is meant: upstream's own default has two slashes. */
export function toEndpoint(text: string): string {
  return text.replace(/^unix:\/\/(?=[^/])/i, "unix:///");
}

/** Where a node keeps its records that is told its socket alone. */
export function stateBeside(endpoint: string): string {
  return join(dirname(endpoint.replace(/^unix:(\/\/)?/i, "")), "state");
}
