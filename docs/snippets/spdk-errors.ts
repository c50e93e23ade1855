import { isNoSuchDevice, type SpdkClient } from "@org/spdk-rpc";

/** Deletes a volume; one that is gone already counts as deleted. */
export async function deleteVolume(spdk: SpdkClient, name: string): Promise<void> {
  try {
    await spdk.call("bdev_lvol_delete", { name }, { timeoutMs: 10_000 });
  } catch (error) {
    // After a timeout the call runs on in the target: wait for its end, then look whether the volume is still there.
    await spdk.settled();
    if (await exists(spdk, name)) throw error;
  }
}

async function exists(spdk: SpdkClient, name: string): Promise<boolean> {
  try {
    await spdk.call("bdev_get_bdevs", { name });
    return true;
  } catch (error) {
    if (isNoSuchDevice(error)) return false;
    throw error;
  }
}
