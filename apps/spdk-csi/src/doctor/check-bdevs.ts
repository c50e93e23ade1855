import { isNoSuchDevice } from "@org/spdk-rpc";

import { BDEV_METHODS, type BdevConfig } from "../config/target-config.ts";
import { rpcCommand } from "../reports/rpc-command.ts";
import type { Target } from "../targets/target.ts";
import { type Finding, findingsOf } from "./finding.ts";

/** Whether the configured base bdevs are attached. Attaches none. */
export async function checkBdevs(target: Target): Promise<readonly Finding[]> {
  const { ok, warning } = findingsOf(`target ${target.name}`, "bdevs");
  const { config } = target;
  return Promise.all(
    config.bdevs.map(async (bdev) => {
      if (await isAttached(target, bdev)) return ok(`${bdev.name} is attached`);
      return warning(
        `${bdev.name} is not attached: the controller does so with its next call`,
        `do it by hand to see what is wrong: ${rpcCommand(config, BDEV_METHODS[bdev.kind], bdev.params)}`,
      );
    }),
  );
}

async function isAttached(target: Target, { kind, name }: BdevConfig): Promise<boolean> {
  try {
    await target.call(kind === "nvme" ? "bdev_nvme_get_controllers" : "bdev_get_bdevs", { name });
    return true;
  } catch (error) {
    if (isNoSuchDevice(error)) return false;
    throw error;
  }
}
