import { createHash } from "node:crypto";

import { CsiError } from "../csi-error.ts";

/** What a list request says about its page, as the generated requests do. */
export interface PageRequest {
  /** At most so many entries; 0 means all. */
  readonly maxEntries: number;
  /** The `next_token` of the page before; empty for the first page. */
  readonly startingToken: string;
}

/** One page of a list. */
export interface Page<T> {
  readonly entries: T[];
  /** Where the next page starts; empty on the last one. */
  readonly nextToken: string;
}

/**
 * Cuts the page that a list request asks for out of all `items` (CSI ListVolumes, ListSnapshots and
 * ControllerListVolumeHealth, which say how `max_entries` and tokens are meant).
 *
 * Items are sorted by `key`, which must be unique. A token stands for the key of the last entry that was handed out, so
 * it survives a restart, and items that come and go between two pages neither repeat nor hide others. Keys of up to 93
 * bytes are sorted by their bytes; of longer ones the first 61 bytes count, then a hash, because a token may have no more
 * than 128 bytes.
 *
 * @throws CsiError ABORTED for a token that was not made here: the caller starts again without one
 */
export function paginate<T>(
  items: Iterable<T>,
  { maxEntries, startingToken }: PageRequest,
  { key }: { readonly key: (item: T) => string },
): Page<T> {
  const after = startingToken === "" ? undefined : readToken(startingToken);
  const rest = Array.from(items, (item) => ({ item, place: placeOf(key(item)) }))
    .filter(({ place }) => after === undefined || Buffer.compare(place, after) > 0)
    .sort((a, b) => Buffer.compare(a.place, b.place));
  const page = maxEntries === 0 ? rest : rest.slice(0, maxEntries);
  const last = page.at(-1);
  const isLastPage = last === undefined || page.length === rest.length;
  return { entries: page.map(({ item }) => item), nextToken: isLastPage ? "" : writeToken(last.place) };
}

/** Marks a token as ours, and the form of what follows. */
const VERSION = Buffer.from("p1:");

/** As many bytes as fit into a token beside the version: 96 bytes are 128 characters of base64url. */
const MAX_PLACE_BYTES = 96 - VERSION.length;

const HASH_BYTES = 32;

/** Where a key stands among others: the key itself, or when it is too long its beginning and a hash of all of it. */
function placeOf(key: string): Buffer {
  const bytes = Buffer.from(key);
  if (bytes.length <= MAX_PLACE_BYTES) return bytes;
  const hash = createHash("sha256").update(bytes).digest();
  return Buffer.concat([bytes.subarray(0, MAX_PLACE_BYTES - HASH_BYTES), hash]);
}

function writeToken(place: Buffer): string {
  return Buffer.concat([VERSION, place]).toString("base64url");
}

function readToken(token: string): Buffer {
  const bytes = Buffer.from(token, "base64url");
  // Node skips what is no base64url; then the token does not come out as it went in.
  const isOurs = bytes.subarray(0, VERSION.length).equals(VERSION) && bytes.toString("base64url") === token;
  if (isOurs) return bytes.subarray(VERSION.length);
  throw CsiError.aborted(`starting_token "${token}" was not handed out by this plugin: list again without a token`);
}
