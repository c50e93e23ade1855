import { DriverError } from "./driver-error.ts";

/** One page of a listing. */
export interface Page<T> {
  readonly entries: readonly T[];
  /** Where the next page starts; empty on the last one. */
  readonly nextToken: string;
}

/**
 * Cuts a page out of a listing. Tokens are the key of the last entry handed out, so entries that come and go
 * between two calls neither repeat nor hide others (CSI ListVolumes, ListSnapshots).
 */
export function page<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  { maxEntries, startingToken }: { readonly maxEntries: number; readonly startingToken: string },
): Page<T> {
  const sorted = all.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const after = startingToken === "" ? undefined : decodeToken(startingToken);
  const rest = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after);
  const entries = maxEntries === 0 ? rest : rest.slice(0, maxEntries);
  const last = entries.at(-1);
  return { entries, nextToken: last === undefined || entries.length === rest.length ? "" : encodeToken(keyOf(last)) };
}

const TOKEN_PREFIX = "after ";

function encodeToken(key: string): string {
  return Buffer.from(`${TOKEN_PREFIX}${key}`).toString("base64url");
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith(TOKEN_PREFIX)) {
    throw new DriverError(
      "BAD_TOKEN",
      `starting_token "${token}" is none that this driver handed out: start the listing again`,
    );
  }
  return text.slice(TOKEN_PREFIX.length);
}
