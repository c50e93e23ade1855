import { setTimeout as sleep } from "node:timers/promises";

import { silentLogger } from "@org/csi-framework";
import { beforeEach, describe, expect, it } from "vitest";

import { createController } from "../src/wiring.ts";
import {
  create,
  csi,
  lvols,
  MIB,
  persist,
  spdk,
  start,
  status,
  target,
  uri,
  useDriver,
  uuidOf,
} from "./driver-under-test.ts";
import { REAL_TARGET } from "./target-under-test.ts";

useDriver();

const addFault = (fault: object) => spdk.call("emulator_add_fault", { ...fault });

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
    expect(await lvols()).toEqual([]);
  });

  it("that an earlier process could not delete are swept at the start", async () => {
    const { volumeId } = await create("a");
    const { snapshot } = await csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: "s" });
    const snapshotId = snapshot?.snapshotId ?? "";
    const source = { type: { $case: "snapshot", value: { snapshotId } } };
    const restored = await create("r", { volumeContentSource: source });
    await csi.controller.deleteSnapshot({ snapshotId });
    await spdk.call("bdev_lvol_delete", { name: uuidOf(restored.volumeId) });
    expect(await lvols()).toHaveLength(3);
    const options = { driverName: "csi.spdk.io", cluster: "default", maxVolumesPerNode: 0, now: () => new Date() };
    const next = createController({ ...options, targets: [target("t", uri)] });
    await next.sweep(silentLogger);
    await next.close();
    expect(await lvols()).toMatchObject([{ uuid: uuidOf(volumeId) }]);
  });

  describe.skipIf(REAL_TARGET !== undefined)("that nothing needs any more", () => {
    let gone: string;
    let hidden: string[];
    beforeEach(async () => {
      hidden = [];
      for (const name of ["a", "b"]) {
        const { volumeId } = await create(name);
        const { volumeId: clone } = await create(`clone-of-${name}`, {
          volumeContentSource: { type: { $case: "volume", value: { volumeId } } },
        });
        const [bdev] = await spdk.call("bdev_get_bdevs", { name: uuidOf(clone) });
        hidden.push(`lvs0/${bdev?.driver_specific.lvol?.base_snapshot}`);
        // As a delete leaves it that dies before its end.
        await spdk.call("bdev_lvol_delete", { name: uuidOf(clone) });
        gone = clone;
      }
    });
    const left = async () => {
      const names = (await lvols()).map(({ name }) => `lvs0/${name}`);
      return hidden.filter((each) => names.includes(each));
    };

    it("are swept by a delete of what is gone, which does not fail with one that cannot be swept now", async () => {
      await addFault({ method: "bdev_lvol_delete", effect: "error", times: 1 });
      await csi.controller.deleteVolume({ volumeId: gone });
      expect(await left()).toHaveLength(1);
      await csi.controller.deleteVolume({ volumeId: gone });
      expect(await left()).toEqual([]);
    });

    it("are swept only once the target has examined its bdevs: before, not all that is there is listed", async () => {
      // The first time it is asked whether the volume is there.
      await addFault({ method: "bdev_wait_for_examine", effect: "delay", delay_ms: 500, nth: 2 });
      const deleted = csi.controller.deleteVolume({ volumeId: gone });
      await sleep(250);
      expect(await left()).toHaveLength(2);
      await deleted;
      expect(await left()).toEqual([]);
    });
  });

  it("are deleted with whatever stands on them or below, in every order", async () => {
    const { volumeId } = await create("a", { capacityRange: { requiredBytes: 8n * MIB } });
    const chain: string[] = [];
    let source = volumeId;
    // A snapshot of a restore of a snapshot, and at each of them a second restore.
    for (const level of ["1", "2", "3"]) {
      const { snapshot } = await csi.controller.createSnapshot({ sourceVolumeId: source, name: `s${level}` });
      const content = { type: { $case: "snapshot", value: { snapshotId: snapshot?.snapshotId ?? "" } } };
      const range = { capacityRange: { requiredBytes: 8n * MIB }, volumeContentSource: content };
      const { volumeId: first } = await create(`r${level}`, range);
      const { volumeId: second } = await create(`q${level}`, range);
      chain.push(snapshot?.snapshotId ?? "", first, second);
      source = first;
    }
    const all = [volumeId, ...chain];
    const isSnapshot = async (id: string) =>
      (await csi.controller.listSnapshots({ snapshotId: id })).entries.length > 0;
    for (const id of [...all.slice(5), ...all.slice(0, 5)]) {
      if (await isSnapshot(id)) await csi.controller.deleteSnapshot({ snapshotId: id });
      else await csi.controller.deleteVolume({ volumeId: id });
    }
    expect(await lvols()).toEqual([]);
  });

  it("taken, expanded and deleted with their volumes all at once leave nothing, and the target survives", async () => {
    const capacityRange = { requiredBytes: 8n * MIB };
    const family = async (index: number): Promise<void> => {
      const { volumeId } = await create(`a${index}`, { capacityRange });
      const { snapshot } = await csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: `s${index}` });
      const snapshotId = snapshot?.snapshotId ?? "";
      const of = (type: object) => ({ capacityRange, volumeContentSource: { type } });
      const restored = await create(`r${index}`, of({ $case: "snapshot", value: { snapshotId } }));
      const clone = await create(`c${index}`, of({ $case: "volume", value: { volumeId } }));
      const again = () => csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: `t${index}` });
      const grow = { volumeId, capacityRange: { requiredBytes: 16n * MIB } };
      // Either is NOT_FOUND where the delete was faster.
      const [taken] = await Promise.all([
        persist(again).catch(() => undefined),
        persist(() => csi.controller.controllerExpandVolume(grow)).catch(() => undefined),
        persist(() => csi.controller.deleteSnapshot({ snapshotId })),
        ...[volumeId, restored.volumeId, clone.volumeId].map((each) =>
          persist(() => csi.controller.deleteVolume({ volumeId: each })),
        ),
      ]);
      const left = taken?.snapshot?.snapshotId;
      if (left !== undefined) await persist(() => csi.controller.deleteSnapshot({ snapshotId: left }));
    };
    await Promise.all(Array.from({ length: 16 }, (_, index) => family(index)));
    expect(await lvols()).toEqual([]);
  });

  it.skipIf(REAL_TARGET !== undefined)(
    "are parted from their volume before their delete has ended, and it is deleted after that only",
    async () => {
      const { volumeId } = await create("a");
      const { snapshot } = await csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: "s" });
      await addFault({ method: "bdev_lvol_delete", effect: "delay", when: "after", delay_ms: 200, times: 1 });
      const deleted = csi.controller.deleteSnapshot({ snapshotId: snapshot?.snapshotId ?? "" });
      await expect.poll(lvols).toHaveLength(1);
      await csi.controller.deleteVolume({ volumeId });
      await deleted;
      expect(await lvols()).toEqual([]);
    },
  );

  it("under clones of one volume are one, as long as nothing is written to it", async () => {
    const { volumeId } = await create("a", { capacityRange: { requiredBytes: 8n * MIB } });
    const content = { type: { $case: "volume", value: { volumeId } } };
    const clone = (name: string) =>
      create(name, { capacityRange: { requiredBytes: 8n * MIB }, volumeContentSource: content });
    await clone("b");
    const { fields } = await spdk.version();
    for (const name of ["c", "d"]) await clone(name);
    const names = (await lvols()).map(({ name }) => name);
    // Before v24.05 targets do not tell what was written.
    const tells = fields.major * 100 + fields.minor >= 2405;
    expect(names.filter((name) => name.startsWith("i."))).toHaveLength(tells ? 1 : 3);
  });

  it("under a volume that was expanded since give clones of the size that it has now", async () => {
    const { volumeId } = await create("a", { capacityRange: { requiredBytes: 8n * MIB } });
    const volumeContentSource = { type: { $case: "volume", value: { volumeId } } };
    const clone = (name: string, capacityRange?: object) => create(name, { capacityRange, volumeContentSource });
    expect(await clone("before")).toMatchObject({ capacityBytes: 8n * MIB });
    await csi.controller.controllerExpandVolume({ volumeId, capacityRange: { requiredBytes: 16n * MIB } });
    const { volumeId: after, capacityBytes } = await clone("after");
    expect(capacityBytes).toBe(16n * MIB);
    const [bdev] = await spdk.call("bdev_get_bdevs", { name: uuidOf(after) });
    expect(BigInt(bdev?.num_blocks ?? 0) * BigInt(bdev?.block_size ?? 0)).toBe(16n * MIB);
    expect(await clone("larger", { requiredBytes: 24n * MIB })).toMatchObject({ capacityBytes: 24n * MIB });
    expect(await status(clone("smaller", { requiredBytes: 8n * MIB }))).toMatchObject({ code: "OUT_OF_RANGE" });
  });

  it("do not pile up without end: each makes reads one step longer", { timeout: 60_000 }, async () => {
    const { volumeId } = await create("a", { capacityRange: { requiredBytes: 4n * MIB } });
    const take = (index: number) => csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: `s${index}` });
    for (let index = 0; index < 64; index += 1) await take(index);
    expect(await status(take(64))).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      details: expect.stringContaining("stands on 64 snapshots"),
    });
    await take(7);
  });

  it("are listed page by page of what is asked for, also with a token that was handed out for something else", async () => {
    const [a, b] = [await create("a"), await create("b")];
    for (const { volumeId } of [a, b])
      for (const name of ["s", "t"])
        await csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: `${name}-${volumeId}` });
    const { nextToken } = await csi.controller.listSnapshots({ sourceVolumeId: a.volumeId, maxEntries: 1 });
    const { entries } = await csi.controller.listSnapshots({ sourceVolumeId: b.volumeId, startingToken: nextToken });
    for (const { snapshot } of entries) expect(snapshot?.sourceVolumeId).toBe(b.volumeId);
    expect(await csi.controller.listSnapshots({ sourceVolumeId: a.volumeId, startingToken: nextToken })).toMatchObject({
      entries: [{ snapshot: { sourceVolumeId: a.volumeId } }],
    });
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
