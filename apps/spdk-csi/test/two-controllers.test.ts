import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inProcess } from "@org/csi-framework/testing";
import { Emulator } from "@org/spdk-emulator";
import { expect, it } from "vitest";

import { toCsiError } from "../src/errors.ts";
import { createController } from "../src/wiring.ts";
import { cleanups, dir, MALLOC, MIB, NODE, OTHER, target, useDriver, XFS } from "./driver-under-test.ts";

useDriver();

const VOLUMES = 6;
const ROUNDS = 40;
const NODES = [NODE, OTHER];

/** Two controllers that know nothing of each other, on one target that looks at its sockets as a real one does. */
async function startTwo(spdkVersion: string, pollMs: number) {
  const uri = `unix://${join(dir, "two.sock")}`;
  const emulator = await Emulator.start({ listen: [uri], spdkVersion, pollMs });
  cleanups.push(() => emulator.close());
  await emulator.call("bdev_malloc_create", MALLOC);
  await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0" });
  const start = () => {
    const options = { driverName: "csi.spdk.io", cluster: "default", maxVolumesPerNode: 0, now: () => new Date() };
    const controller = createController({ ...options, targets: [target("t", uri)] });
    cleanups.push(() => controller.close());
    return inProcess(controller.driver, { mapError: toCsiError }).client.controller;
  };
  return { emulator, controllers: [start(), start()] as const };
}

/** Small and the same in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

it.each([
  ["22.05", 0],
  ["26.09", 0],
  ["26.09", 4],
])(
  "two controllers with conflicting calls on SPDK %s (poll %i ms) never give one volume to two nodes",
  { timeout: 60_000 },
  async (version, pollMs) => {
    const { emulator, controllers } = await startTwo(version, pollMs);
    const random = randomFrom(7);
    const hosts = async (volumeId: string): Promise<string[]> => {
      const subsystems = (await emulator.call("nvmf_get_subsystems")) as { nqn: string; hosts: { nqn: string }[] }[];
      const own = subsystems.find(({ nqn }) => nqn.endsWith(volumeId.slice(volumeId.indexOf(":") + 1)));
      return own?.hosts.map(({ nqn }) => nqn) ?? [];
    };
    let published = 0;
    const tally = { one: 0, none: 0 };
    const live = async (index: number): Promise<void> => {
      for (let round = 0; round < ROUNDS / VOLUMES; round += 1) {
        const request = {
          name: `v-${index}-${round}`,
          capacityRange: { requiredBytes: 4n * MIB },
          volumeCapabilities: [XFS],
        };
        // Both are asked to make the same volume, and each to give it to another node.
        const made = await Promise.allSettled(controllers.map((controller) => controller.createVolume(request)));
        const again = await controllers[0].createVolume(request);
        const volumeId = again.volume?.volumeId ?? "";
        for (const each of made) if (each.status === "fulfilled") expect(each.value.volume?.volumeId).toBe(volumeId);
        for (let turn = 0; turn < 3; turn += 1) {
          const swapped = random(2);
          const answers = await Promise.allSettled(
            controllers.map(async (controller, at) => {
              await sleep(at * random(8));
              const nodeId = NODES[(at + swapped) % 2] ?? "";
              return controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability: XFS });
            }),
          );
          const given = NODES.filter((_, at) => answers[(at + swapped) % 2]?.status === "fulfilled");
          const admitted = await hosts(volumeId);
          expect(given.length).toBeLessThanOrEqual(1);
          // Who was told that the volume is his can reach it, and nobody else can.
          expect(admitted).toEqual(given);
          tally[given.length === 1 ? "one" : "none"] += 1;
          published += 1;
          await Promise.all(controllers.map((each) => each.controllerUnpublishVolume({ volumeId, nodeId: "" })));
          expect(await hosts(volumeId)).toEqual([]);
        }
        await Promise.all(controllers.map((each) => each.deleteVolume({ volumeId }).catch(() => undefined)));
        await controllers[1].deleteVolume({ volumeId });
      }
    };
    await Promise.all(Array.from({ length: VOLUMES }, (_, index) => live(index)));
    expect(published).toBeGreaterThan(60);
    expect(tally.one).toBeGreaterThan(0);
    expect(await emulator.call("bdev_lvol_get_lvstores")).toMatchObject([{ free_clusters: 127 }]);
  },
);
