import { renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Emulator } from "@org/spdk-emulator";
import { expect, it } from "vitest";

import type { BdevConfig } from "../src/config/target-config.ts";
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
  status,
  target,
  useDriver,
} from "./driver-under-test.ts";
import { REAL_TARGET } from "./target-under-test.ts";

useDriver();

const aio = (name: string): BdevConfig => {
  const params = { name, filename: join(dir, `${name}.img`), block_size: 4096 };
  writeFileSync(params.filename, "");
  truncateSync(params.filename, Number(2048n * MIB));
  return { kind: "aio", name, params };
};

it.skipIf(REAL_TARGET !== undefined).each(["unix", "http"])(
  "a disk whose attach is never answered delays the first call alone, over %s",
  {
    timeout: 30_000,
  },
  async (transport) => {
    const listen = transport === "unix" ? `unix://${join(dir, "disks.sock")}` : "http://root:gluesys@127.0.0.1:0";
    const emulator = await Emulator.start({ listen: [listen] });
    cleanups.push(() => emulator.close());
    await emulator.call("bdev_malloc_create", MALLOC);
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0" });
    await emulator.call("emulator_add_fault", { method: "bdev_aio_create", effect: "drop" });
    const credentials = { username: "root", password: "gluesys" };
    const config = { ...target("t", emulator.uris[0] ?? ""), ...(transport === "http" && { credentials }) };
    await start([{ ...config, lvstores: ["lvs0"], bdevs: [aio("bad")] }]);
    const { volumeId } = await create("v");
    const startedAt = performance.now();
    await publish(volumeId);
    await csi.controller.listVolumes({});
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
    await csi.controller.deleteVolume({ volumeId });
    // Each would wait as long as the first one, if it did.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  },
);

it.skipIf(REAL_TARGET !== undefined)(
  "a disk that turns up late has no second transport made beside the first",
  {
    timeout: 30_000,
  },
  async () => {
    const rpcUrl = `unix://${join(dir, "disks.sock")}`;
    const emulator = await Emulator.start({ listen: [rpcUrl] });
    cleanups.push(() => emulator.close());
    await emulator.call("bdev_malloc_create", MALLOC);
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0" });
    await emulator.call("emulator_add_fault", { method: "bdev_aio_create", effect: "delay", delay_ms: 5_300 });
    await emulator.call("emulator_add_fault", { method: "nvmf_create_transport", effect: "delay", delay_ms: 1_500 });
    await start([{ ...target("t", rpcUrl), lvstores: ["lvs0"], bdevs: [aio("late")] }]);
    const volumes = await Promise.all([create("v"), create("w")]);
    const [first, second] = volumes.map(({ volumeId }) => volumeId);
    const published = publish(first ?? "");
    const isAttached = async () =>
      ((await emulator.call("bdev_get_bdevs")) as { name: string }[]).some(({ name }) => name === "late");
    await expect.poll(isAttached, { interval: 20 }).toBe(true);
    await Promise.all([published, publish(second ?? "")]);
    expect(emulator.hazards).toEqual({});
  },
);

it.skipIf(REAL_TARGET !== undefined)(
  "of several disks one that does not come back takes only its own volumes along",
  {
    timeout: 30_000,
  },
  async () => {
    const rpcUrl = `unix://${join(dir, "disks.sock")}`;
    const emulator = await Emulator.start({ listen: [rpcUrl] });
    cleanups.push(() => emulator.close());
    const disk = async (name: string): Promise<BdevConfig> => {
      const bdev = aio(name);
      await emulator.call("bdev_aio_create", bdev.params);
      await emulator.call("bdev_lvol_create_lvstore", { bdev_name: name, lvs_name: `lvs-${name}` });
      return bdev;
    };
    const bdevs = [await disk("good"), await disk("bad")];
    await start([{ ...target("t", rpcUrl), bdevs }]);
    const on = (name: string) => ({ parameters: { lvstore: `lvs-${name}` } });
    const [good, bad] = [await create("g", on("good")), await create("b", on("bad"))];
    for (const { volumeId } of [good, bad]) await publish(volumeId);
    const published = async () =>
      Object.fromEntries(
        (await csi.controller.listVolumes({})).entries.map((each) => [
          each.volume?.volumeId,
          each.status?.publishedNodeIds,
        ]),
      );
    expect(await published()).toEqual({ [good.volumeId]: [NODE], [bad.volumeId]: [NODE] });

    renameSync(join(dir, "bad.img"), join(dir, "away.img"));
    await emulator.restart();
    // What the restart has taken is told of the good disk's volume, and nothing of the other's: its last is told again.
    expect(await published()).toEqual({ [good.volumeId]: [], [bad.volumeId]: [NODE] });
    await publish(good.volumeId);
    const unavailable = { code: "UNAVAILABLE", details: expect.stringContaining("lacks lvstore lvs-bad") };
    const why = { code: "UNAVAILABLE", details: expect.stringContaining("bdev bad of the config cannot be attached") };
    expect(await status(publish(bad.volumeId))).toMatchObject(unavailable);
    expect(await status(csi.controller.deleteVolume({ volumeId: bad.volumeId }))).toMatchObject(why);
    expect(await status(create("new"))).toMatchObject(unavailable);
    const proceeding = await create("other", { parameters: { whenTargetDown: "proceed" } });
    const capacityRange = { requiredBytes: 512n * MIB };
    for (const { volumeId } of [good, proceeding])
      await csi.controller.controllerExpandVolume({ volumeId, capacityRange });
    const { snapshot } = await csi.controller.createSnapshot({ name: "s", sourceVolumeId: good.volumeId });
    await csi.controller.deleteSnapshot({ snapshotId: snapshot?.snapshotId ?? "" });
    await csi.controller.deleteVolume({ volumeId: proceeding.volumeId });
    const { entries } = await csi.controller.controllerListVolumeHealth({});
    expect(entries).toMatchObject([{ volumeId: bad.volumeId, healthStatuses: [{ reason: "TargetUnavailable" }] }]);
    expect((await csi.controller.getCapacity({})).availableCapacity).toBeGreaterThan(0n);

    renameSync(join(dir, "away.img"), join(dir, "bad.img"));
    await expect
      .poll(() => publish(bad.volumeId).then(() => "published", String), { timeout: 15_000 })
      .toBe("published");
    await create("new");
    expect(await published()).toMatchObject({ [good.volumeId]: [NODE], [bad.volumeId]: [NODE] });
  },
);
