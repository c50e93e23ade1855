import { decode, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import type { Bdev } from "./bdev.ts";

/** Ticks are nanoseconds here. */
export const TICK_RATE = 1_000_000_000;

const COUNTED = [
  ["read", "read"],
  ["written", "write"],
  ["unmapped", "unmap"],
  ["copied", "copy"],
] as const;

/** bdev_get_iostat and what belongs to it. The counters of an emulated target stand still. */
export function statisticsHandlers(state: TargetState, version: Version): Handlers {
  const shape = ofVersion(version, {
    name: "string? -25.09",
    names: "strings? 26.01-",
    per_channel: "boolean? 23.01-",
    reset_mode: "string? 25.01-",
  });
  const idle = (bdev: Bdev): object => describeIdle(bdev.name, version);
  return {
    bdev_get_iostat: (params = {}) => {
      const { name, names, per_channel: perChannel = false } = decode(params, shape, undecodable());
      const wanted = names ?? (name === undefined ? undefined : [name]);
      const found = wanted === undefined ? state.bdevs.all() : wanted.map((each) => state.bdevs.get(each));
      const clock = { tick_rate: TICK_RATE, ticks: process.hrtime.bigint() };
      const [first] = found;
      if (perChannel && first !== undefined) return { ...clock, name: first.name, channels: [] };
      return { ...clock, bdevs: found.map(idle) };
    },
    bdev_reset_iostat: (params = {}) => {
      const shapeOfReset = { name: "string?", mode: "string?" } as const;
      const { name } = decode(params, shapeOfReset, undecodable());
      if (name !== undefined) state.bdevs.get(name);
      return true;
    },
  };
}

function describeIdle(name: string, version: Version): object {
  const detailed = version.from("23.01");
  const counted = COUNTED.filter(([, operation]) => detailed || operation !== "copy");
  const counters: Record<string, unknown> = { name };
  for (const [bytes, operation] of counted) {
    counters[`bytes_${bytes}`] = 0;
    counters[`num_${operation}_ops`] = 0;
  }
  for (const [, operation] of counted) {
    counters[`${operation}_latency_ticks`] = 0;
    if (!detailed) continue;
    counters[`max_${operation}_latency_ticks`] = 0;
    counters[`min_${operation}_latency_ticks`] = 0;
  }
  return { ...counters, ...(detailed && { io_error: {} }) };
}
