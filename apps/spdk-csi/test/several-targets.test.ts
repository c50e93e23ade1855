import type { Emulator } from "@org/spdk-emulator";
import { beforeEach, describe, expect, it } from "vitest";

import { create, csi, NODE, publish, start, status, useDriver } from "./driver-under-test.ts";
import { config, GIB, lvolNames, startEmulator, targetOf } from "./emulated-targets.ts";

useDriver();

describe("pain 17: a target that cannot be asked", () => {
  let a: Emulator;
  let b: Emulator;
  beforeEach(async () => {
    a = await startEmulator("a", { lvs: 8n * GIB });
    b = await startEmulator("b", { lvs: 4n * GIB });
  });

  it("lets no volume be made twice: the create waits for it, and leaves nothing behind", async () => {
    await start([config("a"), config("b")]);
    await create("other");
    await b.close();
    expect(await status(create("v"))).toMatchObject({ code: "UNAVAILABLE", details: expect.stringContaining('"b"') });
    expect(await lvolNames(a)).toEqual(["lvs/other"]);
  });

  it("is passed over where the StorageClass says so", async () => {
    await start([config("a"), config("b")]);
    await create("other");
    await b.close();
    expect(targetOf(await create("v", { parameters: { whenTargetDown: "proceed" } }))).toBe("a");
  });

  it("is taken out by a cordon, and volumes on it are still served once it answers", async () => {
    await start([config("a"), config("b", { cordoned: true })]);
    expect(targetOf(await create("v"))).toBe("a");
    const lvol = await b.call("bdev_lvol_create", { lvs_name: "lvs", lvol_name: "pvc-old", size_in_mib: 64 });
    await publish(`b:${String(lvol)}`);
    await b.close();
    expect(targetOf(await create("w"))).toBe("a");
  });

  it("that lost its lvstore with a restart makes its volumes unavailable, not gone", async () => {
    await start([config("a"), config("b")]);
    const { volumeId } = await create("v", { parameters: { target: "b" } });
    await csi.controller.listVolumes({});
    await b.restart();
    for (const call of [() => csi.controller.deleteVolume({ volumeId }), () => publish(volumeId), () => create("w")]) {
      expect(await status(call())).toMatchObject({
        code: "UNAVAILABLE",
        details: expect.stringContaining("lacks lvstore lvs"),
      });
    }
    // The attacher is shown what was there before.
    const { entries } = await csi.controller.listVolumes({});
    expect(entries.map(({ volume }) => volume?.volumeId)).toEqual([volumeId]);
  });

  it("hanging makes calls UNAVAILABLE in seconds, and those of the other target go on", {
    timeout: 30_000,
  }, async () => {
    await start([config("a"), config("b")]);
    const own = { parameters: { target: "a" } };
    const { volumeId } = await create("v", { parameters: { target: "b" } });
    await b.call("emulator_add_fault", { method: "*", effect: "hang" });
    const startedAt = performance.now();
    expect(await status(publish(volumeId))).toMatchObject({
      code: "UNAVAILABLE",
      details: expect.stringContaining("has not answered for"),
    });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect(await status(create("w"))).toMatchObject({ code: "UNAVAILABLE" });
    expect(targetOf(await create("x", { parameters: { whenTargetDown: "proceed" } }))).toBe("a");
    await create("y", own);
    expect((await csi.controller.listVolumes({})).entries.length).toBeGreaterThan(1);
    expect(await csi.identity.probe({})).toMatchObject({ ready: true });
    b.clearFaults();
    await expect.poll(() => publish(volumeId).then(() => "published", String), { timeout: 10_000 }).toBe("published");
  });
});

it("a volume that an earlier try made elsewhere is found: the new one is taken back, and the retry answers with it", async () => {
  const a = await startEmulator("a", { lvs: 8n * GIB });
  const b = await startEmulator("b", { lvs: 4n * GIB });
  await start([config("a"), config("b")]);
  const lvol = await b.call("bdev_lvol_create", {
    lvs_name: "lvs",
    lvol_name: "v",
    size_in_mib: 256,
    thin_provision: true,
  });
  expect(await status(create("v"))).toMatchObject({ code: "ABORTED", details: expect.stringContaining("is on b") });
  expect(await lvolNames(a)).toEqual([]);
  expect((await create("v")).volumeId).toBe(`b:${String(lvol)}`);
});

it("several names of one target do not meet in changes of one volume", async () => {
  const a = await startEmulator("a", { lvs: 8n * GIB });
  await start([config("a"), { ...config("a"), name: "alias" }]);
  const { volumeId } = await create("v", { parameters: { target: "a" } });
  await publish(volumeId);
  const unpublish = (id: string) => csi.controller.controllerUnpublishVolume({ volumeId: id, nodeId: NODE });
  await Promise.all([unpublish(volumeId), unpublish(`alias:${volumeId.slice(2)}`)]);
  // A bare uuid is no doubt which target is meant.
  await csi.controller.deleteVolume({ volumeId: volumeId.slice(2) });
  expect(a.hazards).toEqual({});
});
