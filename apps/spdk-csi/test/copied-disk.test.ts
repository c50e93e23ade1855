import { cpSync } from "node:fs";
import { join } from "node:path";

import type { Emulator } from "@org/spdk-emulator";
import { beforeEach, describe, expect, it } from "vitest";

import { create, csi, dir, NODE, publish, start, status, useDriver } from "./driver-under-test.ts";
import { config, GIB, startEmulator, startOnDisk } from "./emulated-targets.ts";

useDriver();

describe("a disk that was copied to another target", () => {
  const uuid = async (a: Emulator, alias: string): Promise<string> =>
    ((await a.call("bdev_get_bdevs", { name: alias })) as { name: string }[])[0]?.name ?? "";
  let volume: string;
  let snapshot: string;
  beforeEach(async () => {
    const { a, disk } = await startOnDisk();
    await a.call("bdev_lvol_create", { lvs_name: "lvs", lvol_name: "by-hand", size_in_mib: 64, thin_provision: true });
    await a.call("bdev_lvol_snapshot", { lvol_name: "lvs/by-hand", snapshot_name: "snapshot-1" });
    [volume, snapshot] = [await uuid(a, "lvs/by-hand"), await uuid(a, "lvs/snapshot-1")];
    cpSync(join(dir, "a"), join(dir, "b"), { recursive: true });
    const b = await startEmulator("b", {}, { dir: join(dir, "b") });
    await b.call("bdev_aio_create", { ...disk, filename: join(dir, "b", "disk") });
    await start([config("a"), config("b")]);
  });

  it("makes bare uuids say too little, for volumes and snapshots: nothing is done to either", async () => {
    const from = (type: object) => create("c", { volumeContentSource: { type } });
    const calls = {
      publish: () => publish(volume),
      unpublish: () => csi.controller.controllerUnpublishVolume({ volumeId: volume, nodeId: NODE }),
      expand: () => csi.controller.controllerExpandVolume({ volumeId: volume, capacityRange: { requiredBytes: GIB } }),
      delete: () => csi.controller.deleteVolume({ volumeId: volume }),
      snapshot: () => csi.controller.createSnapshot({ sourceVolumeId: volume, name: "s" }),
      clone: () => from({ $case: "volume", value: { volumeId: volume } }),
      restore: () => from({ $case: "snapshot", value: { snapshotId: snapshot } }),
      getSnapshot: () => csi.controller.getSnapshot({ snapshotId: snapshot }),
      deleteSnapshot: () => csi.controller.deleteSnapshot({ snapshotId: snapshot }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const { code, details } = await status(call());
      expect({ name, code, details }).toEqual({
        name,
        code: "FAILED_PRECONDITION",
        details: expect.stringContaining('is on targets "a" and "b"'),
      });
    }
  });

  it("is told apart by ids that name the target", async () => {
    await csi.controller.deleteVolume({ volumeId: `b:${volume}` });
    await csi.controller.deleteSnapshot({ snapshotId: `b:${snapshot}` });
    await publish(volume);
    expect((await csi.controller.getSnapshot({ snapshotId: snapshot })).snapshot?.sourceVolumeId).toBe(`a:${volume}`);
  });
});
