import { CsiError } from "../../src/csi-error.ts";

/** A page of a list and the token of the next one, which says how far the list was read. */
export function page<T>(
  items: readonly T[],
  { maxEntries, startingToken }: { readonly maxEntries: number; readonly startingToken: string },
): { readonly entries: readonly T[]; readonly nextToken: string } {
  const start = startingToken === "" ? 0 : Number(/^at-(\d+)$/.exec(startingToken)?.[1]);
  if (!(start <= items.length)) throw CsiError.aborted(`"${startingToken}" is no token of this list`);
  const end = maxEntries === 0 ? items.length : start + maxEntries;
  return { entries: items.slice(start, end), nextToken: end < items.length ? `at-${end}` : "" };
}
