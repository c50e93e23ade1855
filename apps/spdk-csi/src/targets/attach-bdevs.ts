import { isNoSuchDevice, type SpdkMethod, SpdkRpcError } from "@org/spdk-rpc";

import { BDEV_METHODS, type BdevConfig } from "../config/target-config.ts";
import { DriverError } from "../driver-error.ts";
import type { Target } from "./target.ts";

/** Attaches the base bdevs of the config that the target does not have, and waits until their lvstores are loaded. */
export async function attachBdevs(target: Target): Promise<void> {
  const { bdevs } = target.config;
  if (bdevs.length === 0) return;
  const present = await Promise.all(bdevs.map((bdev) => isAttached(target, bdev)));
  const missing = bdevs.filter((_, index) => present[index] === false);
  if (missing.length === 0) return;
  await Promise.all(missing.map((bdev) => attach(target, bdev)));
  await target.call("bdev_wait_for_examine");
}

async function isAttached(target: Target, { kind, name }: BdevConfig): Promise<boolean> {
  const method: SpdkMethod = kind === "nvme" ? "bdev_nvme_get_controllers" : "bdev_get_bdevs";
  try {
    await target.call(method, { name });
    return true;
  } catch (error) {
    if (isNoSuchDevice(error)) return false;
    throw error;
  }
}

async function attach(target: Target, bdev: BdevConfig): Promise<void> {
  const method = BDEV_METHODS[bdev.kind];
  try {
    await target.callUnchecked(method, bdev.params);
  } catch (error) {
    if (!(error instanceof SpdkRpcError) || (await isAttached(target, bdev))) {
      if (error instanceof SpdkRpcError) return;
      throw error;
    }
    throw new DriverError(
      "TARGET_UNAVAILABLE",
      `target "${target.name}" cannot attach bdev ${bdev.name} of the config: ${error.message}`,
      { cause: error },
    );
  }
}
