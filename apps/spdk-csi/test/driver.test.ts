import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, connect as netConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CsiClient, CsiError, VolumeCapability_AccessMode_Mode as Mode, serve, silentLogger } from "@org/csi-framework";
import { Emulator } from "@org/spdk-emulator";
import { connect, type SpdkClient } from "@org/spdk-rpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { parseConfig, type TargetConfig } from "../src/config.ts";
import { toCsiError } from "../src/errors.ts";
import { hostNqn } from "../src/node-identity.ts";
import { createController } from "../src/wiring.ts";
import { REAL_TARGET, startTarget, type TargetUnderTest } from "./target-under-test.ts";

const MIB = 1024n ** 2n;
const XFS = {
  accessType: { $case: "mount" as const, value: { fsType: "xfs" } },
  accessMode: { mode: Mode.SINGLE_NODE_WRITER },
};
const NODE = hostNqn("default", "worker-1");
const OTHER = hostNqn("default", "worker-2");

/** What a volume's tests need of a target; a real one keeps it in its memory. */
const MALLOC = { name: "Malloc0", num_blocks: 2 ** 20, block_size: 512 };

/** Where this process's targets listen: their ports are real, and other processes' targets have them, too. */
const ADDRESS = `127.${1 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;

let dir: string;
let uri: string;
let underTest: TargetUnderTest;
let spdk: SpdkClient;
let csi: CsiClient;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "spdk-csi-test-"));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  underTest = await startTarget(join(dir, "spdk.sock"));
  cleanups.push(() => underTest.close());
  ({ uri, spdk } = underTest);
  await spdk.call("bdev_malloc_create", MALLOC);
  await spdk.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0", cluster_sz: 4194304 });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(targets: readonly TargetConfig[] = [target("t", uri)], maxVolumesPerNode = 0): Promise<void> {
  const controller = createController({
    driverName: "csi.spdk.io",
    cluster: "default",
    maxVolumesPerNode,
    targets,
    now: () => new Date(),
  });
  cleanups.push(() => controller.close());
  const server = await serve(controller.driver, {
    endpoint: `unix://${dir}/csi.sock`,
    logger: silentLogger,
    mapError: toCsiError,
  });
  cleanups.push(() => server.close());
  csi = new CsiClient(server.endpoint);
  cleanups.push(async () => csi.close());
}

function target(name: string, rpcUrl: string): TargetConfig {
  return { name, rpcUrl, targetType: "nvme-tcp", address: ADDRESS, port: 4420 };
}

async function create(name: string, fields: object = {}) {
  const { volume } = await csi.controller.createVolume({
    name,
    capacityRange: { requiredBytes: 256n * MIB },
    volumeCapabilities: [XFS],
    ...fields,
  });
  if (volume === undefined) throw new Error("no volume");
  return volume;
}

const publish = (volumeId: string, nodeId = NODE) =>
  csi.controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability: XFS });
const uuidOf = (volumeId: string): string => volumeId.slice(volumeId.lastIndexOf(":") + 1);
const nqnOf = (volumeId: string): string => `nqn.2020-04.io.spdk.csi:uuid:${uuidOf(volumeId)}`;

async function status(call: Promise<unknown>): Promise<{ code: string; details: string }> {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof CsiError) return { code: error.code, details: error.message };
  throw new Error(`the call did not fail with a status: ${String(error)}`);
}

describe("the tutorial", () => {
  it("works with its config as it is, over HTTP, on a bare target", async () => {
    const http = await Emulator.start({ listen: ["http://root:gluesys@127.0.0.1:0"] });
    cleanups.push(() => http.close());
    const uri = http.uris[0] ?? "";
    const text = `{ "nodes": [ { "name": "spdk-1", "rpcURL": "${uri}", "targetType": "nvme-tcp", "targetAddr": "${ADDRESS}" # SPDK Server IP
        } ] }`;
    const secret = '{ "rpcTokens": [ { "name": "spdk-1", "username": "root", "password": "gluesys" } ] }';
    const admin = connect(uri, { username: "root", password: "gluesys" });
    cleanups.push(() => admin.close());
    await admin.call("bdev_malloc_create", { name: "Malloc0", num_blocks: 2 ** 20, block_size: 512 });
    await admin.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });
    await start(parseConfig({ file: "config.json", text }, { file: "secret.json", text: secret }));

    const { volumeId, capacityBytes } = await create("pvc-1");
    expect(capacityBytes).toBe(256n * MIB);
    const [bdev] = await admin.call("bdev_get_bdevs", { name: "lvs0/pvc-1" });
    expect(bdev).toMatchObject({ aliases: ["lvs0/pvc-1"], driver_specific: { lvol: { thin_provision: true } } });
    expect(volumeId).toBe(`spdk-1:${bdev?.name}`);

    const { publishContext } = await publish(volumeId);
    expect(publishContext).toMatchObject({
      nqn: nqnOf(volumeId),
      targetAddr: ADDRESS,
      targetPort: "4420",
      targetType: "nvme-tcp",
    });
    const [subsystem] = await admin.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) });
    expect(subsystem).toMatchObject({
      serial_number: "spdkcsi-sn",
      model_number: uuidOf(volumeId),
      allow_any_host: false,
      hosts: [{ nqn: NODE }],
      listen_addresses: [{ trtype: "TCP", traddr: ADDRESS, trsvcid: "4420" }],
      namespaces: [{ uuid: uuidOf(volumeId) }],
    });
  });
});

describe("creating a volume", () => {
  beforeEach(() => start());

  it("twice under one name gives one volume", async () => {
    expect((await create("a")).volumeId).toBe((await create("a")).volumeId);
    expect(await spdk.call("bdev_lvol_get_lvols")).toHaveLength(1);
  });

  it("twice at once gives one volume", async () => {
    await Promise.allSettled([create("a"), create("a"), create("a")]);
    await create("a");
    expect(await spdk.call("bdev_lvol_get_lvols")).toHaveLength(1);
  });

  it("under an existing name with another size, kind or source is refused", async () => {
    const first = await create("a");
    const range = { capacityRange: { requiredBytes: 512n * MIB } };
    expect(await status(create("a", range))).toMatchObject({ code: "ALREADY_EXISTS" });
    expect(await status(create("a", { parameters: { thinProvision: "false" } }))).toMatchObject({
      code: "ALREADY_EXISTS",
    });
    const source = { type: { $case: "volume", value: { volumeId: first.volumeId } } };
    await create("b");
    expect(await status(create("b", { volumeContentSource: source }))).toMatchObject({ code: "ALREADY_EXISTS" });
  });

  it("that cannot be is refused with a reason", async () => {
    expect(await status(create("a", { parameters: { bogus: "1" } }))).toMatchObject({
      code: "INVALID_ARGUMENT",
      details: expect.stringContaining("bogus"),
    });
    expect(await status(create("a", { capacityRange: { requiredBytes: 2n ** 60n } }))).toMatchObject({
      code: "OUT_OF_RANGE",
    });
    const thick = { parameters: { thinProvision: "false" }, capacityRange: { requiredBytes: 8n * 1024n * MIB } };
    expect(await status(create("a", thick))).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      details: expect.stringContaining("lvs0"),
    });
    const rwx = { ...XFS, accessMode: { mode: Mode.MULTI_NODE_MULTI_WRITER } };
    expect(await status(create("a", { volumeCapabilities: [rwx] }))).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await spdk.call("bdev_lvol_get_lvols")).toEqual([]);
  });
});

describe("publishing", () => {
  beforeEach(() => start());

  it("repeats without a change, and the last unpublish takes the subsystem along", async () => {
    const { volumeId } = await create("a");
    await publish(volumeId);
    const before = await spdk.call("nvmf_get_subsystems");
    await publish(volumeId);
    expect(await spdk.call("nvmf_get_subsystems")).toEqual(before);
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
    expect(await spdk.call("nvmf_get_subsystems")).toHaveLength(1);
  });

  it("gives a single-node volume to one node only", async () => {
    const { volumeId } = await create("a");
    await publish(volumeId);
    expect(await status(publish(volumeId, OTHER))).toMatchObject({
      code: "FAILED_PRECONDITION",
      details: expect.stringContaining(NODE),
    });
    const [subsystem] = await spdk.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) });
    expect(subsystem?.hosts).toMatchObject([{ nqn: NODE }]);
  });

  it("completes what an earlier call left half-made", async () => {
    const { volumeId } = await create("a");
    await spdk.call("nvmf_create_subsystem", {
      nqn: nqnOf(volumeId),
      serial_number: "spdkcsi-sn",
      model_number: uuidOf(volumeId),
    });
    await publish(volumeId);
    const [subsystem] = await spdk.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) });
    expect(subsystem).toMatchObject({
      hosts: [{ nqn: NODE }],
      namespaces: [{ nsid: 1 }],
      listen_addresses: [{ trsvcid: "4420" }],
    });
  });

  it("proves a new volume blank once per publish, and a clone never", async () => {
    const { volumeId } = await create("a");
    const first = (await publish(volumeId)).publishContext["blankProof"];
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
    const second = (await publish(volumeId)).publishContext["blankProof"];
    expect(first).toBeDefined();
    expect(second).toBeDefined();
    expect(second).not.toBe(first);
    const clone = await create("b", { volumeContentSource: { type: { $case: "volume", value: { volumeId } } } });
    expect((await publish(clone.volumeId)).publishContext["blankProof"]).toBeUndefined();
  });

  it("of an unknown volume or to an unknown node is NOT_FOUND", async () => {
    const { volumeId } = await create("a");
    expect(await status(publish("nope"))).toMatchObject({ code: "NOT_FOUND" });
    expect(await status(publish(volumeId, "some-node"))).toMatchObject({ code: "NOT_FOUND" });
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: "some-node" });
    await csi.controller.controllerUnpublishVolume({ volumeId: "nope", nodeId: NODE });
  });

  it("protects the volume from being deleted", async () => {
    const { volumeId } = await create("a");
    await publish(volumeId);
    expect(await status(csi.controller.deleteVolume({ volumeId }))).toMatchObject({ code: "FAILED_PRECONDITION" });
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: "" });
    await csi.controller.deleteVolume({ volumeId });
    await csi.controller.deleteVolume({ volumeId });
    expect(await spdk.call("bdev_lvol_get_lvols")).toEqual([]);
  });
});

it("a node that is full gets no further volume", async () => {
  await start(undefined, 2);
  const volumes = [await create("a"), await create("b"), await create("c")];
  await publish(volumes[0]?.volumeId ?? "");
  await publish(volumes[1]?.volumeId ?? "");
  await publish(volumes[1]?.volumeId ?? "");
  expect(await status(publish(volumes[2]?.volumeId ?? ""))).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
});

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

it("expansion grows, repeats, and never shrinks", async () => {
  await start();
  const { volumeId } = await create("a");
  const expand = (requiredBytes: bigint, limitBytes = 0n) =>
    csi.controller.controllerExpandVolume({
      volumeId,
      capacityRange: { requiredBytes, limitBytes },
      volumeCapability: XFS,
    });
  expect(await expand(510n * MIB)).toMatchObject({ capacityBytes: 512n * MIB, nodeExpansionRequired: true });
  expect(await expand(512n * MIB)).toMatchObject({ capacityBytes: 512n * MIB });
  expect(await expand(1n)).toMatchObject({ capacityBytes: 512n * MIB });
  expect(await status(expand(1n, 256n * MIB))).toMatchObject({ code: "OUT_OF_RANGE" });
  expect(
    await status(csi.controller.controllerExpandVolume({ volumeId: "nope", capacityRange: { requiredBytes: 1n } })),
  ).toMatchObject({ code: "NOT_FOUND" });
});

it("upstream's bare uuids name volumes, too", async () => {
  await start();
  const { volumeId } = await create("a");
  const bare = uuidOf(volumeId);
  await publish(bare);
  await csi.controller.controllerUnpublishVolume({ volumeId: bare, nodeId: NODE });
  await csi.controller.deleteVolume({ volumeId: bare });
  expect(await spdk.call("bdev_lvol_get_lvols")).toEqual([]);
});

describe.skipIf(REAL_TARGET !== undefined)("a target that is down", () => {
  it("makes calls UNAVAILABLE, never NOT_FOUND, and nothing is made twice", async () => {
    await start();
    const { volumeId } = await create("a");
    await underTest.close();
    for (const call of [() => create("a"), () => publish(volumeId), () => csi.controller.deleteVolume({ volumeId })]) {
      expect(await status(call())).toMatchObject({
        code: "UNAVAILABLE",
        details: expect.stringContaining("spdk.sock"),
      });
    }
  });

  it("in mid-call makes the call UNAVAILABLE, and the retry ends as if nothing had happened", async () => {
    const path = join(dir, "flaky.sock");
    let calls = 0;
    // In front of the target: hands everything on, until it cuts both sides after the call to be cut was sent.
    const flaky = createServer((client) => {
      const upstream = netConnect(join(dir, "spdk.sock"));
      client.on("data", (chunk) => {
        upstream.write(chunk);
        if (!chunk.toString().includes('bdev_lvol_create"') || calls > 0) return;
        calls += 1;
        client.destroy();
        flaky.close();
      });
      upstream.on("data", (chunk) => client.write(chunk));
      for (const side of [client, upstream]) side.on("error", () => undefined);
      client.on("close", () => upstream.end());
    });
    flaky.listen(path);
    await once(flaky, "listening");
    cleanups.push(async () => flaky.close());
    await start([target("t", `unix://${path}`)]);
    expect(await status(create("a"))).toMatchObject({
      code: "UNAVAILABLE",
      details: expect.stringContaining("repeated"),
    });
    expect(calls).toBe(1);
    flaky.listen(path);
    await once(flaky, "listening");
    const { volumeId } = await create("a");
    expect(await spdk.call("bdev_lvol_get_lvols")).toMatchObject([{ uuid: uuidOf(volumeId) }]);
  });

  it("hides no other target's volumes, nor its own last known ones", async () => {
    const second = await Emulator.start({ listen: [`unix://${dir}/second.sock`] });
    await start([target("t", uri), target("u", `unix://${dir}/second.sock`)]);
    await create("a");
    expect((await csi.controller.listVolumes({})).entries).toHaveLength(1);
    await second.close();
    expect((await csi.controller.listVolumes({})).entries).toHaveLength(1);
    await underTest.close();
    expect((await csi.controller.listVolumes({})).entries).toHaveLength(1);
    expect(await csi.identity.probe({})).toMatchObject({ ready: true });
  });
});

it("an unknown target in a volume's id is UNAVAILABLE: the config lacks it", async () => {
  await start();
  const volumeId = "gone:6211b48b-bd77-4bc8-ad3f-de3728351d09";
  expect(await status(csi.controller.deleteVolume({ volumeId }))).toMatchObject({
    code: "UNAVAILABLE",
    details: expect.stringContaining("gone"),
  });
});

it("volumes are listed in pages with their nodes", async () => {
  await start();
  const ids: string[] = [];
  for (const name of ["a", "b", "c"]) ids.push((await create(name)).volumeId);
  await publish(ids[0] ?? "");
  const first = await csi.controller.listVolumes({ maxEntries: 2 });
  const second = await csi.controller.listVolumes({ maxEntries: 2, startingToken: first.nextToken });
  const all = [...first.entries, ...second.entries];
  expect(all.map(({ volume }) => volume?.volumeId)).toEqual(ids.toSorted());
  expect(all.find(({ volume }) => volume?.volumeId === ids[0])?.status?.publishedNodeIds).toEqual([NODE]);
  expect(second.nextToken).toBe("");
});
