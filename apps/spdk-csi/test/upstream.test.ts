import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Emulator } from "@org/spdk-emulator";
import { beforeEach, describe, expect, it } from "vitest";

import { parseConfig } from "../src/config/config.ts";
import {
  ADDRESS,
  cleanups,
  create,
  csi,
  dir,
  MALLOC,
  NODE,
  nqnOf,
  OTHER,
  publish,
  spdk,
  start,
  status,
  target,
  useDriver,
} from "./driver-under-test.ts";
import { REAL_TARGET } from "./target-under-test.ts";

useDriver();

const RAW = { accessType: { $case: "block" as const, value: {} }, accessMode: { mode: 1 as const } };

/** What upstream's driver leaves on a target: the lvol, and an export that was made with it and admits any host. */
async function upstreamVolume(name: string): Promise<string> {
  const uuid = await spdk.call("bdev_lvol_create", {
    lvs_name: "lvs0",
    lvol_name: name,
    size: 268_435_456,
    thin_provision: true,
    clear_method: "unmap",
  });
  const nqn = nqnOf(uuid);
  const transports = await spdk.call("nvmf_get_transports");
  if (transports.length === 0) await spdk.call("nvmf_create_transport", { trtype: "TCP" });
  await spdk.call("nvmf_create_subsystem", {
    nqn,
    allow_any_host: true,
    serial_number: "spdkcsi-sn",
    model_number: uuid,
  });
  await spdk.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: uuid } });
  const listen_address = { trtype: "TCP" as const, adrfam: "IPv4" as const, traddr: ADDRESS, trsvcid: "4420" };
  await spdk.call("nvmf_subsystem_add_listener", { nqn, listen_address });
  return uuid;
}

const subsystem = async (uuid: string) =>
  (await spdk.call("nvmf_get_subsystems")).find(({ nqn }) => nqn === nqnOf(uuid));
const unpublish = (volumeId: string, nodeId = NODE) => csi.controller.controllerUnpublishVolume({ volumeId, nodeId });

describe("a volume that upstream's driver made", () => {
  beforeEach(() => start());

  it("is published, and closed by the publish after its last node has left", async () => {
    const uuid = await upstreamVolume("pvc-1");
    await publish(`t:${uuid}`);
    expect(await subsystem(uuid)).toMatchObject({ allow_any_host: true, hosts: [{ nqn: NODE }] });
    await unpublish(`t:${uuid}`);
    expect(await subsystem(uuid)).toBeUndefined();
    await publish(`t:${uuid}`);
    expect(await subsystem(uuid)).toMatchObject({ allow_any_host: false, hosts: [{ nqn: NODE }] });
  });

  it("goes on being open where nobody of this driver was published", async () => {
    const uuid = await upstreamVolume("pvc-1");
    await unpublish(`t:${uuid}`);
    expect(await subsystem(uuid)).toMatchObject({ allow_any_host: true });
  });

  it("has a bare uuid as handle, and is listed under it once it was published under it", async () => {
    const uuid = await upstreamVolume("pvc-1");
    expect((await csi.controller.listVolumes({})).entries[0]?.volume?.volumeId).toBe(`t:${uuid}`);
    await publish(uuid);
    const { entries } = await csi.controller.listVolumes({});
    expect(entries).toMatchObject([{ volume: { volumeId: uuid }, status: { publishedNodeIds: [NODE] } }]);
    await unpublish(uuid);
    await csi.controller.deleteVolume({ volumeId: uuid });
    expect(await spdk.call("bdev_get_bdevs")).toMatchObject([{ name: MALLOC.name }]);
  });

  it("is expanded, snapshotted and restored as it is", async () => {
    const uuid = await upstreamVolume("pvc-1");
    const capacityRange = { requiredBytes: 2n ** 29n };
    expect(await csi.controller.controllerExpandVolume({ volumeId: `t:${uuid}`, capacityRange })).toMatchObject({
      capacityBytes: 2n ** 29n,
    });
    const { snapshot } = await csi.controller.createSnapshot({ name: "s", sourceVolumeId: `t:${uuid}` });
    const source = { type: { $case: "snapshot" as const, value: { snapshotId: snapshot?.snapshotId ?? "" } } };
    await create("restored", { volumeContentSource: source, capacityRange });
  });

  it("had snapshots of plain names, which are shown with what is known of them", async () => {
    const uuid = await upstreamVolume("pvc-1");
    const take = (snapshot_name: string) => spdk.call("bdev_lvol_snapshot", { lvol_name: uuid, snapshot_name });
    const [first, second] = [await take("snapshot-0815"), await take("another-prefix-4711")];
    const shown = (id: string) => ({
      snapshotId: id,
      sourceVolumeId: `t:${uuid}`,
      sizeBytes: 268_435_456n,
      creationTime: new Date(0),
      readyToUse: true,
    });
    for (const id of [`t:${first}`, first, second]) {
      expect((await csi.controller.getSnapshot({ snapshotId: id })).snapshot).toEqual(
        expect.objectContaining(shown(id)),
      );
      const { entries } = await csi.controller.listSnapshots({ snapshotId: id });
      expect(entries).toMatchObject([{ snapshot: shown(id) }]);
    }
    for (const sourceVolumeId of ["", uuid, `t:${uuid}`]) {
      const { entries } = await csi.controller.listSnapshots({ sourceVolumeId });
      expect(entries.map(({ snapshot }) => snapshot?.snapshotId)).toEqual([`t:${first}`, `t:${second}`].toSorted());
    }
    // Once nothing stands on it, all that is known of its source is itself.
    await csi.controller.deleteVolume({ volumeId: uuid });
    expect((await csi.controller.getSnapshot({ snapshotId: second })).snapshot?.sourceVolumeId).toBe(`t:${second}`);
  });

  it("is a source by its bare uuid, and so are its snapshots", async () => {
    const uuid = await upstreamVolume("pvc-1");
    const { snapshot } = await csi.controller.createSnapshot({ name: "s", sourceVolumeId: uuid });
    expect(snapshot?.sourceVolumeId).toBe(uuid);
    const plain = await spdk.call("bdev_lvol_snapshot", { lvol_name: uuid, snapshot_name: "snapshot-0815" });
    const from = (name: string, type: object) => create(name, { volumeContentSource: { type } });
    for (const time of ["once", "again"]) {
      await from("clone", { $case: "volume", value: { volumeId: uuid } });
      const restored = await from("restored", { $case: "snapshot", value: { snapshotId: plain } });
      expect(restored.capacityBytes, time).toBe(268_435_456n);
    }
    await csi.controller.deleteSnapshot({ snapshotId: plain });
    expect(await status(csi.controller.getSnapshot({ snapshotId: plain }))).toMatchObject({ code: "NOT_FOUND" });
  });

  it("had snapshots of plain names, which restore and delete by their ids", async () => {
    const uuid = await upstreamVolume("pvc-1");
    const snapshot = await spdk.call("bdev_lvol_snapshot", { lvol_name: uuid, snapshot_name: "snapshot-0815" });
    const source = { type: { $case: "snapshot" as const, value: { snapshotId: `t:${snapshot}` } } };
    await create("restored", { volumeContentSource: source });
    await create("restored", { volumeContentSource: source });
    // Two clones stand on it now: it is hidden until they are gone.
    await csi.controller.deleteSnapshot({ snapshotId: `t:${snapshot}` });
    expect(await status(create("again", { volumeContentSource: source }))).toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("static provisioning: a volume that somebody exported by hand", () => {
  const nqn = "nqn.2016-06.io.spdk:by-hand";

  beforeEach(async () => {
    await start();
    await spdk.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "by-hand", size: 268_435_456 });
    if ((await spdk.call("nvmf_get_transports")).length === 0)
      await spdk.call("nvmf_create_transport", { trtype: "TCP" });
    await spdk.call("nvmf_create_subsystem", { nqn, allow_any_host: true });
    await spdk.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: "lvs0/by-hand" } });
  });

  const uuid = async () => (await spdk.call("bdev_get_bdevs", { name: "lvs0/by-hand" }))[0]?.name ?? "";

  it("is published in that subsystem, for an lvol can be in one only", async () => {
    const volumeId = await uuid();
    const { publishContext } = await publish(volumeId);
    expect(publishContext).toMatchObject({ nqn, model: volumeId, targetAddr: ADDRESS });
    expect((await csi.controller.listVolumes({})).entries[0]?.status?.publishedNodeIds).toEqual([NODE]);
    expect(await status(csi.controller.deleteVolume({ volumeId }))).toMatchObject({ code: "FAILED_PRECONDITION" });
    await unpublish(volumeId);
    expect((await spdk.call("nvmf_get_subsystems")).map((each) => each.nqn)).not.toContain(nqn);
  });

  it("together with another one is refused: a host of the subsystem would reach both; deleting it leaves the other", async () => {
    const other = await spdk.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "beside", size: 67_108_864 });
    await spdk.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: other } });
    const volumeId = await uuid();
    expect(await status(publish(volumeId))).toMatchObject({
      code: "FAILED_PRECONDITION",
      details: expect.stringContaining("a subsystem of its own"),
    });
    await csi.controller.deleteVolume({ volumeId });
    const left = (await spdk.call("nvmf_get_subsystems")).find((each) => each.nqn === nqn);
    expect(left).toMatchObject({ namespaces: [{ bdev_name: other }] });
  });

  it("may be used raw on two nodes at once, and by one reader or writer only as a filesystem", async () => {
    const volumeId = await uuid();
    const shared = { ...RAW, accessMode: { mode: 5 as const } };
    const share = (nodeId: string) =>
      csi.controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability: shared });
    await share(NODE);
    await share(OTHER);
    expect((await csi.controller.listVolumes({})).entries[0]?.status?.publishedNodeIds.toSorted()).toEqual([
      NODE,
      OTHER,
    ]);
  });
});

describe.skipIf(REAL_TARGET !== undefined)("credentials", () => {
  const SECRET = JSON.stringify({ rpcTokens: [{ name: "t", username: "root", password: "gluesys" }] });
  let uri: string;
  beforeEach(async () => {
    const emulator = await Emulator.start({ listen: ["http://root:gluesys@127.0.0.1:0"] });
    cleanups.push(() => emulator.close());
    await emulator.call("bdev_malloc_create", MALLOC);
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0" });
    uri = emulator.uris[0] ?? "";
  });

  const configText = () =>
    JSON.stringify({ nodes: [{ name: "t", rpcURL: uri, targetType: "nvme-tcp", targetAddr: ADDRESS }] });

  it("come with requests where no secret is mounted, as upstream's StorageClass sends them, and serve the calls after", async () => {
    await start(parseConfig({ file: "config.json", text: configText() }));
    expect(await status(create("v"))).toMatchObject({ code: "UNAVAILABLE" });
    const { volumeId } = await create("v", { secrets: { "secret.json": SECRET } });
    await publish(volumeId);
    expect((await csi.controller.listVolumes({})).entries).toHaveLength(1);
  });

  it("that are mounted go first", async () => {
    await start(parseConfig({ file: "config.json", text: configText() }, { file: "secret.json", text: SECRET }));
    await create("v", { secrets: { "secret.json": SECRET.replace("gluesys", "wrong") } });
  });

  it("that cannot be read are INVALID_ARGUMENT, and never shown", async () => {
    await start(parseConfig({ file: "config.json", text: configText() }));
    const broken = await status(create("v", { secrets: { "secret.json": SECRET.slice(1) } }));
    expect(broken).toMatchObject({ code: "INVALID_ARGUMENT", details: expect.stringContaining("secret.json") });
    expect(broken.details).not.toContain("gluesys");
  });
});

describe("authentication", () => {
  it.skipIf(REAL_TARGET !== undefined)("admits hosts with the target's key, and tells the node", async () => {
    const emulator = await Emulator.start({ listen: [`unix://${join(dir, "a.sock")}`] });
    cleanups.push(() => emulator.close());
    await emulator.call("bdev_malloc_create", MALLOC);
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0" });
    const keyDir = join(dir, "keys");
    await start([{ ...target("t", `unix://${join(dir, "a.sock")}`), keyDir, mutualAuthentication: true }]);
    const { volumeId } = await create("v");
    expect(await status(publish(volumeId))).toMatchObject({
      code: "FAILED_PRECONDITION",
      details: expect.stringContaining(join(keyDir, "host.key")),
    });
    mkdirSync(keyDir);
    const key = "DHHC-1:00:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDESNFZ4:";
    for (const file of ["host.key", "ctrlr.key"]) writeFileSync(join(keyDir, file), key, { mode: 0o600 });
    expect((await publish(volumeId)).publishContext).toMatchObject({ dhchap: "mutual" });
    const [exported] = (await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) })) as object[];
    expect(exported).toMatchObject({ hosts: [{ dhchap_key: "spdk-csi-host", dhchap_ctrlr_key: "spdk-csi-ctrlr" }] });
  });

  it.skipIf(REAL_TARGET !== undefined).each(["22.05", "24.01"])(
    "is refused on SPDK %s, which would admit hosts unchecked",
    async (spdkVersion) => {
      const emulator = await Emulator.start({ listen: [`unix://${join(dir, "a.sock")}`], spdkVersion });
      cleanups.push(() => emulator.close());
      await emulator.call("bdev_malloc_create", MALLOC);
      await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0" });
      await start([{ ...target("t", `unix://${join(dir, "a.sock")}`), keyDir: "/keys" }]);
      const { volumeId } = await create("v");
      expect(await status(publish(volumeId))).toMatchObject({
        code: "FAILED_PRECONDITION",
        details: expect.stringContaining("v24.05"),
      });
      const subsystems = (await emulator.call("nvmf_get_subsystems")) as object[];
      expect(subsystems).toHaveLength(1);
    },
  );
});
