import { join } from "node:path";

import { Emulator } from "@org/spdk-emulator";
import { expect, it } from "vitest";

import {
  cleanups,
  create,
  csi,
  dir,
  MALLOC,
  MIB,
  NODE,
  publish,
  start,
  target,
  useDriver,
} from "./driver-under-test.ts";

useDriver();

/** What one call of the driver costs on the wire: how often it waits for the target. */
async function roundTrips(emulator: Emulator, call: () => Promise<unknown>): Promise<number> {
  await emulator.call("emulator_reset_counters");
  await call();
  return emulator.counters.reduce((sum, each) => sum + each.round_trips, 0);
}

async function startOn(version: string, volumes: number): Promise<Emulator> {
  const uri = `unix://${join(dir, `${version}-${volumes}.sock`)}`;
  const emulator = await Emulator.start({ listen: [uri], spdkVersion: version });
  cleanups.push(() => emulator.close());
  await emulator.call("bdev_malloc_create", MALLOC);
  await emulator.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0", cluster_sz: 1048576 });
  for (let index = 0; index < volumes; index += 1) {
    const lvol_name = `pvc-other-${index}`;
    await emulator.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name, size_in_mib: 1, thin_provision: true });
  }
  await start([target("t", uri)]);
  return emulator;
}

it.each([
  ["24.05", 0],
  ["25.01", 0],
  ["26.09", 0],
  ["26.09", 200],
])(
  "SPDK %s with %i other volumes is asked once to create, twice to publish, unpublish and delete",
  async (version, others) => {
    const emulator = await startOn(version, others);
    // The first calls on a connection ask what it is good for.
    const first = await create("first");
    await publish(first.volumeId);
    let volumeId = "";
    const unpublish = () => csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
    const costs = {
      create: await roundTrips(emulator, async () => ({ volumeId } = await create("a"))),
      publishNew: await roundTrips(emulator, () => publish(volumeId)),
      publishAgain: await roundTrips(emulator, () => publish(volumeId)),
      unpublish: await roundTrips(emulator, unpublish),
      publish: await roundTrips(emulator, () => publish(volumeId)),
      unpublishAgain: await roundTrips(emulator, async () => {
        await unpublish();
        await emulator.call("emulator_reset_counters");
        await unpublish();
      }),
      delete: await roundTrips(emulator, () => csi.controller.deleteVolume({ volumeId })),
    };
    expect(costs).toEqual({
      create: 1,
      publishNew: 1,
      publishAgain: 2,
      unpublish: 2,
      publish: 2,
      unpublishAgain: 2,
      delete: 2,
    });
    expect(emulator.hazards).toEqual({});
  },
);

it("a walk of ListVolumes costs one listing, however many pages it has", async () => {
  const emulator = await startOn("26.09", 25);
  await create("first");
  const costs = await roundTrips(emulator, async () => {
    const ids = new Set<string>();
    let startingToken = "";
    do {
      const { entries, nextToken } = await csi.controller.listVolumes({ maxEntries: 4, startingToken });
      for (const { volume } of entries) ids.add(volume?.volumeId ?? "");
      startingToken = nextToken;
    } while (startingToken !== "");
    expect(ids.size).toBe(26);
  });
  expect(costs).toBe(1);
});

it("a delete of what is gone looks at all that is hidden in a few writes, and does nothing about what is needed", async () => {
  const emulator = await startOn("26.09", 0);
  const first = await create("first");
  const small = (name: string, fields: object = {}) =>
    create(name, { capacityRange: { requiredBytes: MIB }, ...fields });
  for (let index = 0; index < 20; index += 1) {
    const { volumeId } = await small(`a${index}`);
    await small(`c${index}`, { volumeContentSource: { type: { $case: "volume", value: { volumeId } } } });
  }
  await csi.controller.deleteVolume({ volumeId: first.volumeId });
  const before = (await emulator.call("bdev_get_bdevs")) as object[];
  expect(
    await roundTrips(emulator, () => csi.controller.deleteVolume({ volumeId: first.volumeId })),
  ).toBeLessThanOrEqual(7);
  expect(await emulator.call("bdev_get_bdevs")).toHaveLength(before.length);
});
