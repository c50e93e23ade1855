import { expect, it } from "vitest";

import type { IoKind } from "../faults/fault.ts";
import { RateLimiter } from "./rate-limiter.ts";

const MIB = 1024 ** 2;
const io = (kind: IoKind, length: number) => ({ kind, ranges: [{ offset: 0, length }] });

it("lets an idle bdev go at once, and then one after the other at the rate of the limit", () => {
  const limiter = new RateLimiter({ rw_ios_per_sec: 100 });
  const waits = Array.from({ length: 4 }, () => limiter.take(io("read", 512), 1000));
  expect(waits).toEqual([0, 10, 20, 30]);
  expect(limiter.take(io("write", 512), 2000)).toBe(0);
});

it("saves nothing up while a bdev is idle", () => {
  const limiter = new RateLimiter({ w_mbytes_per_sec: 1 });
  limiter.take(io("write", MIB), 0);
  expect([limiter.take(io("write", MIB), 60_000), limiter.take(io("write", 1), 60_000)]).toEqual([0, 1000]);
});

it("goes by the tightest of several limits", () => {
  const limiter = new RateLimiter({ rw_ios_per_sec: 1000, rw_mbytes_per_sec: 8, r_mbytes_per_sec: 4 });
  limiter.take(io("read", MIB), 0);
  expect(limiter.take(io("read", MIB), 0)).toBe(250);
  expect(limiter.take(io("write", MIB), 0)).toBe(250);
});

it("begins what would wait less than a slice of 1 ms, and keeps the rate all the same", () => {
  const limiter = new RateLimiter({ rw_ios_per_sec: 8000 });
  const waits = Array.from({ length: 25 }, () => limiter.take(io("read", 512), 0));
  expect(waits.filter((wait) => wait === 0)).toHaveLength(8);
  expect(waits.at(-1)).toBe(3);
});

it.each(["flush", "unmap", "write_zeroes"] as const)("limits no %s", (kind) => {
  const limiter = new RateLimiter({ rw_ios_per_sec: 1, rw_mbytes_per_sec: 1, w_mbytes_per_sec: 1 });
  expect([limiter.take(io(kind, MIB), 0), limiter.take(io(kind, MIB), 0)]).toEqual([0, 0]);
});
