import type { Emulator } from "@org/spdk-emulator";
import { beforeEach, describe, expect, it } from "vitest";

import { create, csi, MIB, start, status, useDriver } from "./driver-under-test.ts";
import { config, GIB, lvolNames, startEmulator, startOnDisk, targetOf } from "./emulated-targets.ts";

useDriver();

describe("placement", () => {
  let a: Emulator;
  let b: Emulator;
  beforeEach(async () => {
    a = await startEmulator("a", { small: 2n * GIB, large: 8n * GIB });
    b = await startEmulator("b", { lvs: 4n * GIB });
    await start([config("a"), config("b")]);
  });

  it("goes to the lvstore with the most free space", async () => {
    await create("v");
    expect(await lvolNames(a)).toEqual(["large/v"]);
  });

  it("packs into the one with the least room that suffices", async () => {
    await create("v", { parameters: { placement: "pack" } });
    expect(await lvolNames(a)).toEqual(["small/v"]);
  });

  it("spreads by the share that is free", async () => {
    const thick = { thinProvision: "false", placement: "spread" };
    for (const name of ["1", "2", "3", "4"]) {
      await create(name, { parameters: thick, capacityRange: { requiredBytes: GIB } });
    }
    // 2, 8 and 4 GiB: each gets one before any gets a second.
    const lvstores = [...(await lvolNames(a)), ...(await lvolNames(b))].map((alias) =>
      alias.slice(0, alias.indexOf("/")),
    );
    expect(lvstores).toEqual(["large", "large", "small", "lvs"]);
  });

  it("keeps to the target and the lvstore that the StorageClass names", async () => {
    expect(targetOf(await create("1", { parameters: { target: "b" } }))).toBe("b");
    await create("2", { parameters: { lvstore: "small" } });
    expect(await lvolNames(a)).toEqual(["small/2"]);
    expect(await status(create("3", { parameters: { lvstore: "none" } }))).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      details: expect.stringContaining('lvstore "none"'),
    });
    // Not final: the volume may be there, and the target may come back into the configuration.
    expect(await status(create("4", { parameters: { target: "none" } }))).toMatchObject({ code: "UNAVAILABLE" });
  });

  it("tries elsewhere when an lvstore turns out to be full, and says so when all are", async () => {
    await a.call("emulator_add_fault", {
      method: "bdev_lvol_create",
      effect: "error",
      code: -28,
      message: "No space left on device",
    });
    const thick = { parameters: { thinProvision: "false" }, capacityRange: { requiredBytes: GIB } };
    expect(targetOf(await create("v", thick))).toBe("b");
    await b.call("emulator_add_fault", {
      method: "bdev_lvol_create",
      effect: "error",
      code: -28,
      message: "No space left on device",
    });
    expect(await status(create("w", thick))).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect([...(await lvolNames(a)), ...(await lvolNames(b))]).toEqual(["lvs/v"]);
  });

  it("a repeated create finds a thick volume that has filled the place since", async () => {
    const thick = { parameters: { thinProvision: "false", target: "b" }, capacityRange: { requiredBytes: 3n * GIB } };
    const first = await create("v", thick);
    expect(await create("v", thick)).toEqual(first);
  });

  it("space that a delete has given back is there for the next create", async () => {
    const thick = { parameters: { thinProvision: "false", target: "b" }, capacityRange: { requiredBytes: 3n * GIB } };
    for (const name of ["1", "2", "3"]) {
      const { volumeId } = await create(name, thick);
      await csi.controller.deleteVolume({ volumeId });
    }
  });

  it("overcommits thin volumes as far as the ratio allows", async () => {
    const thin = { parameters: { target: "b", overcommitRatio: "2" }, capacityRange: { requiredBytes: 3n * GIB } };
    await create("1", thin);
    await create("2", thin);
    expect(await status(create("3", thin))).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      details: expect.stringContaining("overcommitRatio 2"),
    });
    await create("4", { ...thin, parameters: { target: "b" } });
  });

  it("overcommits no further when several volumes are made at once", async () => {
    const thin = { parameters: { target: "b", overcommitRatio: "1" }, capacityRange: { requiredBytes: GIB } };
    const made = await Promise.allSettled(["1", "2", "3", "4", "5", "6"].map((name) => create(name, thin)));
    // 4 GiB less what the lvstore keeps for itself.
    expect(made.filter(({ status: outcome }) => outcome === "fulfilled")).toHaveLength(3);
  });
});

it("overcommitting counts no snapshot, not even where the target has forgotten that it is one", async () => {
  const { a, disk } = await startOnDisk();
  await start([config("a")]);
  const thin = { parameters: { overcommitRatio: "1" }, capacityRange: { requiredBytes: 192n * MIB } };
  const { volumeId } = await create("1", thin);
  await csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: "s" });
  await csi.controller.deleteVolume({ volumeId });
  await a.restart();
  await a.call("bdev_aio_create", disk);
  await create("2", thin);
});

it("topology: volumes go where they are wanted, say from where they are reached, and capacity is told by place", async () => {
  await startEmulator("a", { lvs: 8n * GIB });
  await startEmulator("b", { lvs: 4n * GIB });
  const zone = (name: string) => ({ "topology.kubernetes.io/zone": name });
  await start([config("a", { topology: zone("east") }), config("b", { topology: zone("west") })]);
  const terms = (...zones: string[]) => zones.map((each) => ({ segments: zone(each) }));
  const wanted = (requisite: string[], preferred: string[] = []) => ({
    accessibilityRequirements: { requisite: terms(...requisite), preferred: terms(...preferred) },
  });
  expect(await create("1", wanted(["west"]))).toMatchObject({ accessibleTopology: terms("west") });
  expect(targetOf(await create("2", wanted(["east", "west"], ["west", "east"])))).toBe("b");
  expect(targetOf(await create("3", wanted(["east", "west"], ["east", "west"])))).toBe("a");
  expect(await status(create("4", wanted(["north"])))).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  const accessibleTopology = { segments: zone("west") };
  expect((await csi.controller.getCapacity({ accessibleTopology })).availableCapacity).toBeLessThan(4n * GIB);
  const { capabilities } = await csi.identity.getPluginCapabilities({});
  expect(JSON.stringify(capabilities)).toContain('"service"');
});
