import { decode, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import { bdevDescriber } from "./describe-bdev.ts";
import { diskHandlers } from "./disk-handlers.ts";
import { qosHandlers } from "./qos-handlers.ts";
import { statisticsHandlers } from "./statistics-handlers.ts";

/** Every method of bdevs, lvols aside. */
export function bdevHandlers(state: TargetState, version: Version): Handlers {
  const describe = bdevDescriber(version);
  const shape = ofVersion(version, { name: "string?", timeout: "uint64?" });
  return {
    bdev_get_bdevs: (params = {}) => {
      const { name, timeout = 0n } = decode(params, shape, undecodable());
      if (name === undefined) return state.bdevs.all().map(describe);
      const bdev = state.bdevs.find(name);
      if (bdev !== undefined) return [describe(bdev)];
      if (timeout === 0n) throw errno("ENODEV");
      return waitFor(state, name, Number(timeout)).then((found) => {
        if (found !== undefined) return [describe(found)];
        throw errno(version.from("22.09") ? "ETIMEDOUT" : "ENODEV");
      });
    },
    bdev_wait_for_examine: () => true,
    bdev_examine: (params = {}) => {
      decode(params, { name: "string" }, undecodable());
      return true;
    },
    ...diskHandlers(state, version),
    ...qosHandlers(state, version),
    ...statisticsHandlers(state, version),
  };
}

const LOOK_EVERY_MS = 10;

async function waitFor(
  { bdevs, closing }: TargetState,
  name: string,
  timeoutMs: number,
): Promise<ReturnType<typeof bdevs.find>> {
  const deadline = Date.now() + timeoutMs;
  while (bdevs.find(name) === undefined && Date.now() < deadline && !closing.aborted)
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_EVERY_MS, deadline - Date.now())));
  return bdevs.find(name);
}
