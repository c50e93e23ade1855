import type { BdevIo } from "./bdev-io.ts";

/** I/O that would have to wait less than this goes at once: SPDK shares out its quota in slices of 1 ms. */
const SLICE_MS = 1;
const MIB = 1024 ** 2;

/** Limits as bdev_set_qos_limit names them; 0 is none. */
export type RateLimits = Readonly<Record<string, number>>;

/** Spreads the reads and writes of a bdev over time, so that none of its limits is exceeded. */
export class RateLimiter {
  readonly #limits: RateLimits;
  /** When each limit has room again, in ms. */
  readonly #freeAt = new Map<string, number>();

  /** The limits are looked at anew with each I/O. */
  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Takes the room that an I/O needs; how many ms it has to wait for it. */
  take({ kind, ranges: [range] }: BdevIo, now: number): number {
    // SPDK limits nothing else.
    if ((kind !== "read" && kind !== "write") || range === undefined) return 0;
    let start = now;
    for (const [name, perSecond] of this.#rates(kind, range.length)) {
      const free = Math.max(this.#freeAt.get(name) ?? 0, now);
      start = Math.max(start, free);
      this.#freeAt.set(name, free + 1000 / perSecond);
    }
    return start - now < SLICE_MS ? 0 : start - now;
  }

  /** How many of such I/Os a second each limit allows. */
  *#rates(kind: "read" | "write", bytes: number): Iterable<readonly [name: string, perSecond: number]> {
    const { rw_ios_per_sec: ios = 0, rw_mbytes_per_sec: both = 0 } = this.#limits;
    const own = kind === "read" ? "r_mbytes_per_sec" : "w_mbytes_per_sec";
    if (ios > 0) yield ["rw_ios_per_sec", ios];
    if (both > 0) yield ["rw_mbytes_per_sec", (both * MIB) / bytes];
    const one = this.#limits[own] ?? 0;
    if (one > 0) yield [own, (one * MIB) / bytes];
  }
}
