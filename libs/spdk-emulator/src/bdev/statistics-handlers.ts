import { IoStatistics, type ResetMode } from "../block/io-statistics.ts";
import { decode, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import type { Bdev } from "./bdev.ts";

/** Ticks are nanoseconds here. */
export const TICK_RATE = 1_000_000_000;

/** Kinds of I/O, with the word that stands in the name of their bytes. */
const COUNTED = [
  ["read", "read"],
  ["written", "write"],
  ["unmapped", "unmap"],
  ["copied", "copy"],
] as const;

const RESET_MODES: readonly ResetMode[] = ["all", "maxmin", "error", "none"];
/** The one thread that does all I/O; the first is the application's. */
const THREAD_ID = 2;
const NOTHING = new IoStatistics();

/** bdev_get_iostat and bdev_reset_iostat. */
export function statisticsHandlers(state: TargetState, version: Version): Handlers {
  const shape = ofVersion(version, {
    name: "string? -25.09",
    names: "strings? 26.01-",
    per_channel: "boolean? 23.01-",
    reset_mode: "string? 25.01-",
  });
  const take = ({ statistics = NOTHING }: Bdev, mode: ResetMode, of: "bdev" | "channel"): object => {
    const errors = version.from(of === "bdev" ? "23.01" : "26.01") && { io_error: statistics.errors };
    const described = { ...describe(statistics, version), ...errors };
    statistics.reset(mode);
    return described;
  };
  return {
    bdev_get_iostat: (params = {}) => {
      const {
        name,
        names,
        per_channel: perChannel = false,
        reset_mode = "none",
      } = decode(params, shape, undecodable());
      const mode = readMode(reset_mode);
      const wanted = names ?? (name === undefined ? undefined : [name]);
      const found = wanted === undefined ? state.bdevs.all() : wanted.map((each) => state.bdevs.get(each));
      const clock = { tick_rate: TICK_RATE, ticks: process.hrtime.bigint() };
      const [first] = found;
      if (!perChannel || first === undefined)
        return { ...clock, bdevs: found.map((bdev) => ({ name: bdev.name, ...take(bdev, mode, "bdev") })) };
      const isOpen = first.claim === "nvmf" || state.bdevs.hasWriters(first);
      const channels = isOpen ? [{ thread_id: THREAD_ID, ...take(first, mode, "channel") }] : [];
      return { ...clock, name: first.name, channels };
    },
    bdev_reset_iostat: (params = {}) => {
      const { name, mode = "all" } = decode(params, { name: "string?", mode: "string?" }, undecodable());
      const chosen = readMode(mode);
      const bdevs = name === undefined ? state.bdevs.all() : [state.bdevs.get(name)];
      for (const { statistics } of bdevs) statistics?.reset(chosen);
      return true;
    },
  };
}

function readMode(text: string): ResetMode {
  const mode = RESET_MODES.find((each) => each === text);
  if (mode === undefined) throw undecodable();
  return mode;
}

function describe(statistics: IoStatistics, version: Version): object {
  const detailed = version.from("23.01");
  const counted = COUNTED.filter(([, operation]) => detailed || operation !== "copy");
  const counters: Record<string, unknown> = {};
  for (const [bytes, operation] of counted) {
    counters[`bytes_${bytes}`] = statistics.of(operation).bytes;
    counters[`num_${operation}_ops`] = statistics.of(operation).operations;
  }
  for (const [, operation] of counted) {
    const { latency, maxLatency, minLatency } = statistics.of(operation);
    counters[`${operation}_latency_ticks`] = latency;
    if (!detailed) continue;
    counters[`max_${operation}_latency_ticks`] = maxLatency;
    counters[`min_${operation}_latency_ticks`] = minLatency;
  }
  return counters;
}
