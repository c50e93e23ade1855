import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { RpcError, undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import type { Bdev } from "./bdev.ts";

/** IOPS are counted in time slices, hence in multiples of this. */
const IOPS_STEP = 1000;
/** What stands for "leave it as it is". */
const UNCHANGED = 2n ** 64n - 1n;

/** bdev_set_qos_limit. */
export function qosHandlers(state: TargetState, version: Version): Handlers {
  const isOpen = (bdev: Bdev): boolean => bdev.claim !== "none" || state.bdevs.hasWriters(bdev);
  return {
    bdev_set_qos_limit: (params = {}) => {
      const shape = {
        name: "string",
        rw_ios_per_sec: "uint64?",
        rw_mbytes_per_sec: "uint64?",
        r_mbytes_per_sec: "uint64?",
        w_mbytes_per_sec: "uint64?",
      } as const;
      const { name, ...limits } = decode(params, shape, undecodable());
      const bdev = state.bdevs.get(name);
      const given = Object.entries(limits).filter(
        (entry): entry is [string, bigint] => entry[1] !== undefined && entry[1] !== UNCHANGED,
      );
      if (given.length === 0) throw new RpcError(-22, "No rate limits specified");
      if (bdev.limitsFixed && !isOpen(bdev) && version.from("25.09"))
        throw new RpcError(-32602, "Failed to configure rate limit: Resource temporarily unavailable");
      if (!isOpen(bdev)) bdev.limitsFixed = true;
      for (const [limit, value] of given)
        bdev.limits[limit] =
          limit === "rw_ios_per_sec" ? Math.ceil(Number(value) / IOPS_STEP) * IOPS_STEP : Number(value);
      return true;
    },
  };
}
