import { join } from "node:path";

import { CsiError } from "@org/csi-framework";
import { inProcess } from "@org/csi-framework/testing";
import { Emulator } from "@org/spdk-emulator";
import { expect, it } from "vitest";

import { toCsiError } from "../src/errors.ts";
import { createController } from "../src/wiring.ts";
import { cleanups, dir, MALLOC, MIB, NODE, OTHER, persist, target, useDriver, XFS } from "./driver-under-test.ts";

useDriver();

const WORKERS = 64;
const LIVES = 256;

async function startOn(spdkVersion: string) {
  const uri = `unix://${join(dir, "many.sock")}`;
  const emulator = await Emulator.start({ listen: [uri], spdkVersion });
  cleanups.push(() => emulator.close());
  await emulator.call("bdev_malloc_create", MALLOC);
  await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0", cluster_sz: 1048576 });
  const options = { driverName: "csi.spdk.io", cluster: "default", maxVolumesPerNode: 0, now: () => new Date() };
  const controller = createController({ ...options, targets: [target("t", uri)], rpcTimeoutMs: 1_000 });
  cleanups.push(() => controller.close());
  return { emulator, controller: inProcess(controller.driver, { mapError: toCsiError }).client.controller };
}

it.each(["22.05", "24.05", "25.05", "26.09"])(
  "pain 18: 64 callers at once, whose calls fail, are cut off and repeated, leave nothing behind on SPDK %s, and it survives",
  { timeout: 60_000 },
  async (version) => {
    const { emulator, controller } = await startOn(version);
    // Every so often something goes wrong: a refusal, a reply that is lost, a connection that is cut.
    const methods = ["bdev_lvol_create", "nvmf_create_subsystem", "nvmf_subsystem_add_ns", "nvmf_delete_subsystem"];
    for (const [index, method] of methods.entries()) {
      emulator.addFault({ method, effect: "error", nth: 11 + index });
      emulator.addFault({ method, effect: "error", when: "after", nth: 37 + index });
      emulator.addFault({ method, effect: "close", nth: 71 + index });
      emulator.addFault({ method, effect: "close", when: "after", nth: 131 + index });
    }
    emulator.addFault({ method: "nvmf_subsystem_add_listener", effect: "drop", nth: 50 });
    let left = LIVES;
    const work = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const name = `pvc-${left}`;
        const request = { name, capacityRange: { requiredBytes: MIB }, volumeCapabilities: [XFS] };
        const { volume } = await persist(() => controller.createVolume(request));
        const volumeId = volume?.volumeId ?? "";
        const publish = (nodeId: string) =>
          controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability: XFS });
        await persist(() => publish(NODE));
        // The node went away, and another one is to have the volume: its publish is repeated until it may.
        const moved = persist(async () => {
          await publish(OTHER).catch((error: unknown) => {
            if (error instanceof CsiError && error.code === "FAILED_PRECONDITION") throw CsiError.aborted("not yet");
            throw error;
          });
        });
        await persist(() => controller.controllerUnpublishVolume({ volumeId, nodeId: NODE }));
        await moved;
        await persist(() => controller.controllerUnpublishVolume({ volumeId, nodeId: OTHER }));
        await persist(() => controller.deleteVolume({ volumeId }));
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    const bdevs = (await emulator.call("bdev_get_bdevs")) as object[];
    expect(bdevs).toHaveLength(1);
    expect(await emulator.call("nvmf_get_subsystems")).toHaveLength(1);
    expect(emulator.hazards).toEqual({});
  },
);
