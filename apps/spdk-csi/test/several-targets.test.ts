import { cpSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Emulator, type EmulatorOptions } from "@org/spdk-emulator";
import { beforeEach, describe, expect, it } from "vitest";

import type { TargetConfig } from "../src/config/target-config.ts";
import {
  cleanups,
  create,
  csi,
  dir,
  MIB,
  NODE,
  nqnOf,
  OTHER,
  publish,
  start,
  status,
  target,
  useDriver,
} from "./driver-under-test.ts";

useDriver();

const GIB = 1024n * MIB;

/** A target with lvstores of these names and sizes. */
async function startEmulator(
  name: string,
  lvstores: Readonly<Record<string, bigint>>,
  options: Partial<EmulatorOptions> = {},
): Promise<Emulator> {
  const emulator = await Emulator.start({ listen: [`unix://${join(dir, `${name}.sock`)}`], ...options });
  cleanups.push(() => emulator.close());
  for (const [lvs_name, bytes] of Object.entries(lvstores)) {
    const bdev_name = `Malloc-${lvs_name}`;
    await emulator.call("bdev_malloc_create", { name: bdev_name, block_size: 512, num_blocks: Number(bytes / 512n) });
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name, lvs_name, cluster_sz: 4_194_304 });
  }
  return emulator;
}

/** Target "a" with an lvstore on a disk that outlasts it; all of it is in the folder "a". */
async function startOnDisk() {
  const disk = { filename: join(dir, "a", "disk"), name: "disk", block_size: 512 };
  mkdirSync(join(dir, "a"));
  writeFileSync(disk.filename, "");
  truncateSync(disk.filename, Number(256n * MIB));
  const a = await startEmulator("a", {}, { dir: join(dir, "a") });
  await a.call("bdev_aio_create", disk);
  await a.call("bdev_lvol_create_lvstore", { bdev_name: disk.name, lvs_name: "lvs", cluster_sz: 4_194_304 });
  return { a, disk };
}

const config = (name: string, fields: Partial<TargetConfig> = {}): TargetConfig => ({
  ...target(name, `unix://${join(dir, `${name}.sock`)}`),
  ...fields,
});

const lvolNames = async (emulator: Emulator): Promise<string[]> =>
  ((await emulator.call("bdev_lvol_get_lvols")) as { alias: string }[]).map(({ alias }) => alias).toSorted();

const targetOf = ({ volumeId }: { volumeId: string }): string => volumeId.slice(0, volumeId.lastIndexOf(":"));

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

describe("expansion", () => {
  const expand = (volumeId: string, requiredBytes: bigint) =>
    csi.controller.controllerExpandVolume({ volumeId, capacityRange: { requiredBytes } });
  const sizeOf = async (a: Emulator, name: string): Promise<bigint> => {
    const [bdev] = (await a.call("bdev_get_bdevs", { name })) as { num_blocks: number; block_size: number }[];
    return BigInt(bdev?.num_blocks ?? 0) * BigInt(bdev?.block_size ?? 0);
  };

  it("is in clusters of the volume's own lvstore, which the config need not name, whatever else is missing", async () => {
    const a = await startEmulator("a", { named: GIB, other: GIB });
    const uuid = await a.call("bdev_lvol_create", { lvs_name: "other", lvol_name: "by-hand", size_in_mib: 64 });
    await start([config("a", { lvstores: ["named", "missing"] })]);
    expect(await expand(`a:${String(uuid)}`, 65n * MIB)).toMatchObject({ capacityBytes: 68n * MIB });
    expect(await sizeOf(a, "other/by-hand")).toBe(68n * MIB);
  });

  it("says so when another controller's late resize has shrunk the volume meanwhile, and grows it when repeated", async () => {
    const a = await startEmulator("a", { lvs: 4n * GIB });
    await start([config("a")]);
    const { volumeId } = await create("v");
    a.addFault({ method: "bdev_lvol_resize", effect: "delay", when: "after", delayMs: 100, times: 1 });
    const expanded = status(expand(volumeId, 1024n * MIB));
    await expect.poll(() => sizeOf(a, "lvs/v")).toBe(GIB);
    await a.call("bdev_lvol_resize", { name: "lvs/v", size_in_mib: 512 });
    expect(await expanded).toMatchObject({ code: "ABORTED", details: expect.stringContaining(`has ${512n * MIB}`) });
    expect(await expand(volumeId, 1024n * MIB)).toMatchObject({ capacityBytes: GIB });
  });
});

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

it("--max-volumes-per-node holds when several are published at once, and under another name of their target", async () => {
  await startEmulator("a", { lvs: 8n * GIB });
  await start([config("a"), { ...config("a"), name: "alias" }], 2);
  const volumes = await Promise.all(["1", "2", "3", "4"].map((name) => create(name, { parameters: { target: "a" } })));
  const published = await Promise.allSettled(volumes.map(({ volumeId }) => publish(volumeId)));
  expect(published.filter(({ status: outcome }) => outcome === "fulfilled")).toHaveLength(2);
  const first = volumes[published.findIndex(({ status: outcome }) => outcome === "fulfilled")];
  await publish(`alias:${first?.volumeId.slice(2)}`);
});

it("--max-volumes-per-node has nobody wait for a volume whose target is busy with it", async () => {
  const a = await startEmulator("a", { lvs: 8n * GIB });
  await startEmulator("b", { lvs: 8n * GIB });
  const [{ address } = { address: "" }] = config("b").portals;
  await start([config("a"), config("b", { portals: [{ address, port: 4421 }] })], 10, 1_500);
  const on = (name: string) => create(name, { parameters: { target: name } });
  const [stuck, free] = [await on("a"), await on("b")];
  await publish(stuck.volumeId);
  await a.call("emulator_add_fault", { method: "nvmf_delete_subsystem", effect: "delay", delay_ms: 4_000, nth: 1 });
  const unpublish = () => csi.controller.controllerUnpublishVolume({ volumeId: stuck.volumeId, nodeId: NODE });
  await status(unpublish());
  const order: string[] = [];
  const waiting = status(publish(stuck.volumeId)).then(() => order.push("stuck"));
  await publish(free.volumeId).then(() => order.push("free"));
  await waiting;
  expect(order).toEqual(["free", "stuck"]);
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

describe("an export", () => {
  it("listens on every portal of its target, with ANA, and the node is told of all", async () => {
    const emulator = await startEmulator("a", { lvs: 8n * GIB });
    const [{ address } = { address: "" }] = target("a", "").portals;
    const portals = [
      { address, port: 4420 },
      { address, port: 4421 },
    ];
    await start([config("a", { portals })]);
    const { volumeId } = await create("v");
    const { publishContext } = await publish(volumeId);
    expect(publishContext).toMatchObject({ targetPort: "4420", portals: `${address}:4420,${address}:4421` });
    const [subsystem] = (await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) })) as object[];
    expect(subsystem).toMatchObject({
      listen_addresses: expect.arrayContaining(
        portals.map(({ port }) => expect.objectContaining({ trsvcid: `${port}` })),
      ),
    });
    // What lacks a listener counts as not published: the attacher publishes it again, which completes it.
    const listen_address = { trtype: "TCP", adrfam: "IPv4", traddr: address, trsvcid: "4421" };
    await emulator.call("nvmf_subsystem_remove_listener", { nqn: nqnOf(volumeId), listen_address });
    const listed = async () => (await csi.controller.listVolumes({})).entries[0]?.status?.publishedNodeIds;
    expect(await listed()).toEqual([]);
    const health = await csi.controller.controllerGetVolumeHealth({ volumeId });
    expect(health.volumeHealth?.healthStatuses).toMatchObject([{ reason: "ExportIncomplete" }]);
    await publish(volumeId);
    expect(await listed()).toEqual([NODE]);
  });

  it("is refused with RESOURCE_EXHAUSTED when the target has as many subsystems as it takes", {
    timeout: 30_000,
  }, async () => {
    const emulator = await startEmulator("a", { lvs: 8n * GIB });
    for (let index = 0; index < 1023; index += 1) {
      await emulator.call("nvmf_create_subsystem", { nqn: `nqn.2026-01.io.example:${index}` });
    }
    await start([config("a")]);
    const { volumeId } = await create("v");
    expect(await status(publish(volumeId))).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      details: expect.stringContaining("nvmf_set_max_subsystems"),
    });
    await emulator.call("nvmf_delete_subsystem", { nqn: "nqn.2026-01.io.example:7" });
    await publish(volumeId);
  });

  it("pain 4: that a restart of the target has taken is listed as gone, and is made again by a publish", async () => {
    const emulator = await startEmulator("a", {});
    const disk = { name: "disk", filename: join(dir, "disk.img"), block_size: 4096 };
    writeFileSync(disk.filename, "");
    truncateSync(disk.filename, Number(2n * GIB));
    await emulator.call("bdev_aio_create", disk);
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name: "disk", lvs_name: "lvs" });
    await start([config("a", { bdevs: [{ kind: "aio", name: "disk", params: disk }] })]);
    const { volumeId } = await create("v");
    await publish(volumeId);
    await emulator.restart();
    const nodes = async () =>
      (await csi.controller.listVolumes({})).entries.map(({ status: at }) => at?.publishedNodeIds);
    expect(await nodes()).toEqual([[]]);
    await publish(volumeId);
    expect(await nodes()).toEqual([[NODE]]);
  });

  it("pain 20: admits its node only, and of two clusters each sees its own nodes", async () => {
    const emulator = await startEmulator("a", { lvs: 8n * GIB });
    await start([config("a")]);
    const { volumeId } = await create("v");
    await publish(volumeId);
    await emulator.call("nvmf_subsystem_add_host", {
      nqn: nqnOf(volumeId),
      host: "nqn.2020-04.io.spdk.csi:node:east:w",
    });
    const [subsystem] = (await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) })) as object[];
    expect(subsystem).toMatchObject({ allow_any_host: false });
    expect((await csi.controller.listVolumes({})).entries[0]?.status?.publishedNodeIds).toEqual([NODE]);
    expect(await status(publish(volumeId, OTHER))).toMatchObject({ code: "FAILED_PRECONDITION" });
    // All nodes of this cluster go; the other cluster's stays, and with it the subsystem.
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: "" });
    const [left] = (await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) })) as { hosts: object[] }[];
    expect(left?.hosts).toHaveLength(1);
    expect(await status(csi.controller.deleteVolume({ volumeId }))).toMatchObject({ code: "FAILED_PRECONDITION" });
  });
});

it("that nothing is cleared cannot be asked for: a new volume would show what a deleted one held", async () => {
  await startEmulator("a", { lvs: 8n * GIB });
  await start([config("a")]);
  expect(await status(create("w", { parameters: { clearMethod: "none" } }))).toMatchObject({
    code: "INVALID_ARGUMENT",
    details: expect.stringContaining("what a deleted one held"),
  });
});
