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
      const params = { name, filename: join(dir, `${name}.img`), block_size: 4096 };
      writeFileSync(params.filename, "");
      truncateSync(params.filename, Number(2048n * MIB));
      await emulator.call("bdev_aio_create", params);
      await emulator.call("bdev_lvol_create_lvstore", { bdev_name: name, lvs_name: `lvs-${name}` });
      return { kind: "aio", name, params };
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
