import { sizeBytes } from "../bdev/bdev.ts";
import { copyFromFile } from "../bdev/copy-bytes.ts";
import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, invalidParams, undecodable } from "../rpc/rpc-error.ts";
import { allocatedClusters } from "./lvol.ts";
import type { LvolContext } from "./lvol-context.ts";

interface Copy {
  readonly totalClusters: number;
  state: "in progress" | "complete" | "error";
}

/** Copies of what an lvol itself holds to another bdev. */
export function shallowCopyHandlers({ state }: LvolContext): Handlers {
  const copies = new Map<number, Copy>();
  let last = 0;
  return {
    bdev_lvol_start_shallow_copy: (params = {}) => {
      const shape = { src_lvol_name: "string", dst_bdev_name: "string" } as const;
      const { src_lvol_name, dst_bdev_name } = decode(params, shape, undecodable());
      const source = state.lvstores.getLvol(src_lvol_name);
      const target = state.bdevs.find(dst_bdev_name);
      if (target === undefined) throw invalidParams("ENODEV");
      last += 1;
      const copy: Copy = { totalClusters: allocatedClusters(source), state: "in progress" };
      copies.set(last, copy);
      if (copy.totalClusters === 0) copy.state = "complete";
      else {
        copyFromFile(source.file, target, Number(sizeBytes(source))).then(
          () => {
            copy.state = "complete";
          },
          () => {
            copy.state = "error";
          },
        );
      }
      return { operation_id: last };
    },
    bdev_lvol_check_shallow_copy: (params = {}) => {
      const { operation_id: id } = decode(params, { operation_id: "uint32" }, undecodable());
      const copy = copies.get(id);
      if (copy === undefined) throw errno("ENODEV");
      const done = copy.state !== "in progress";
      // The answer that says so is the last one.
      if (done) copies.delete(id);
      const copied = copy.state === "complete" ? copy.totalClusters : 0;
      return { copied_clusters: copied, total_clusters: copy.totalClusters, state: copy.state };
    },
  };
}
