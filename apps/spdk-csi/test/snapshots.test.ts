import { silentLogger } from "@org/csi-framework";
import { beforeEach, describe, expect, it } from "vitest";

import { createController } from "../src/wiring.ts";
import { create, csi, MIB, spdk, start, status, target, uri, useDriver, uuidOf } from "./driver-under-test.ts";

useDriver();

describe("snapshots and clones", () => {
  beforeEach(() => start());

  it("are taken, found again, listed and restored, also larger", async () => {
    const { volumeId } = await create("a");
    const take = () => csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: "s" });
    const { snapshot } = await take();
    expect((await take()).snapshot).toEqual(snapshot);
    expect(snapshot).toMatchObject({ sourceVolumeId: volumeId, sizeBytes: 256n * MIB, readyToUse: true });
    const snapshotId = snapshot?.snapshotId ?? "";
    expect((await csi.controller.listSnapshots({ sourceVolumeId: volumeId })).entries).toMatchObject([
      { snapshot: { snapshotId } },
    ]);
    const source = { type: { $case: "snapshot", value: { snapshotId } } };
    const restore = () => create("r", { volumeContentSource: source, capacityRange: { requiredBytes: 512n * MIB } });
    const restored = await restore();
    expect(restored.capacityBytes).toBe(512n * MIB);
    expect((await restore()).volumeId).toBe(restored.volumeId);
  });

  it("can be deleted in any order, and nothing is left", async () => {
    const { volumeId } = await create("a");
    const { snapshot } = await csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: "s" });
    const snapshotId = snapshot?.snapshotId ?? "";
    const restored = await create("r", { volumeContentSource: { type: { $case: "snapshot", value: { snapshotId } } } });
    const clone = await create("c", { volumeContentSource: { type: { $case: "volume", value: { volumeId } } } });
    await csi.controller.deleteSnapshot({ snapshotId });
    expect((await csi.controller.listSnapshots({})).entries).toEqual([]);
    expect((await csi.controller.listVolumes({})).entries).toHaveLength(3);
    for (const each of [volumeId, restored.volumeId, clone.volumeId])
      await csi.controller.deleteVolume({ volumeId: each });
    expect(await spdk.call("bdev_lvol_get_lvols")).toEqual([]);
  });

  it("that an earlier process could not delete are swept at the start", async () => {
    const { volumeId } = await create("a");
    const { snapshot } = await csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: "s" });
    const snapshotId = snapshot?.snapshotId ?? "";
    const source = { type: { $case: "snapshot", value: { snapshotId } } };
    const restored = await create("r", { volumeContentSource: source });
    await csi.controller.deleteSnapshot({ snapshotId });
    await spdk.call("bdev_lvol_delete", { name: uuidOf(restored.volumeId) });
    expect(await spdk.call("bdev_lvol_get_lvols")).toHaveLength(3);
    const options = { driverName: "csi.spdk.io", cluster: "default", maxVolumesPerNode: 0, now: () => new Date() };
    const next = createController({ ...options, targets: [target("t", uri)] });
    await next.sweep(silentLogger);
    await next.close();
    expect(await spdk.call("bdev_lvol_get_lvols")).toMatchObject([{ uuid: uuidOf(volumeId) }]);
  });

  it("of one name and another volume are refused", async () => {
    const [a, b] = [await create("a"), await create("b")];
    await csi.controller.createSnapshot({ sourceVolumeId: a.volumeId, name: "s" });
    expect(await status(csi.controller.createSnapshot({ sourceVolumeId: b.volumeId, name: "s" }))).toMatchObject({
      code: "ALREADY_EXISTS",
    });
  });

  it("of what does not exist are NOT_FOUND", async () => {
    const uuid = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
    for (const id of ["nope", `t:${uuid}`]) {
      expect(await status(csi.controller.createSnapshot({ sourceVolumeId: id, name: "s" }))).toMatchObject({
        code: "NOT_FOUND",
      });
      const sources = [
        { $case: "snapshot", value: { snapshotId: id } },
        { $case: "volume", value: { volumeId: id } },
      ];
      for (const type of sources)
        expect(await status(create("x", { volumeContentSource: { type } }))).toMatchObject({ code: "NOT_FOUND" });
    }
  });
});
