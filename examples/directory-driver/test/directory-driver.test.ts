import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { conformanceCases, defineConformance, inProcess } from "@org/csi-framework/testing";
import { findMounts, linuxHost } from "@org/node-mounter";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";

import { DirectoryDriver } from "../src/directory-driver.ts";
import { mapError } from "../src/publish.ts";

const host = linuxHost();
const isRoot = process.getuid?.() === 0;
const GIB = 1024n ** 3n;
const capability = (mode: Mode = Mode.SINGLE_NODE_WRITER) =>
  ({ accessType: { $case: "mount", value: {} }, accessMode: { mode } }) as const;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "directory-driver-"));
});
afterEach(async () => {
  expect(await findMounts(host, { target: join(dir, "pod") })).toEqual([]);
  await rm(dir, { recursive: true });
});

/** The driver as a new process finds its directory. */
function start(mayMount = isRoot) {
  const driver = new DirectoryDriver({ root: join(dir, "root"), nodeId: "node-1", host, mayMount });
  const { controller, node } = inProcess(driver, { mapError }).client;
  const create = async (name: string, own: Partial<Parameters<typeof controller.createVolume>[0]> = {}) => {
    const { volume } = await controller.createVolume({ name, volumeCapabilities: [capability()], ...own });
    return volume?.volumeId ?? "";
  };
  const dataOf = (volumeId: string) => join(dir, "root", "volumes", volumeId, "data");
  return { controller, node, create, dataOf };
}

describe("the driver", async () => {
  const root = await mkdtemp(join(tmpdir(), "directory-driver-"));
  afterAll(() => rm(root, { recursive: true }));
  const driver = new DirectoryDriver({ root, nodeId: "node-1", host, mayMount: isRoot });
  const cases = await conformanceCases({ connect: () => inProcess(driver, { mapError }) });
  // Those that are skipped are about what a directory cannot do.
  defineConformance(
    { describe, it },
    cases.filter(({ skip }) => skip === undefined),
  );
});

describe("volumes", () => {
  it("outlast a restart and are made once", async () => {
    const volumeId = await start().create("a");
    const { controller, create } = start();
    expect(await create("a")).toBe(volumeId);
    const { entries } = await controller.listVolumes({});
    expect(entries.map(({ volume }) => volume)).toMatchObject([{ volumeId, capacityBytes: GIB }]);
  });

  it("of one name but another size are refused", async () => {
    const { create } = start();
    await create("a");
    await expect(create("a", { capacityRange: { requiredBytes: 2n * GIB } })).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
    });
  });

  it("that were half made or half removed are not there, and the call that comes again finds its way", async () => {
    const { controller, create, dataOf } = start();
    const volumeId = await create("a");
    const half = join(dir, "root", "volumes", `.${volumeId}`);
    await mkdir(join(half, "data", "left"), { recursive: true });
    expect((await controller.listVolumes({})).entries).toHaveLength(1);
    await controller.deleteVolume({ volumeId });
    expect(await readdir(join(dir, "root", "volumes"))).toEqual([]);
    await mkdir(join(half, "data", "left"), { recursive: true });
    await create("a");
    expect(await readdir(dataOf(volumeId))).toEqual([]);
  });

  it("grow and never shrink", async () => {
    const { controller, create } = start();
    const volumeId = await create("a");
    const expand = (requiredBytes: bigint) =>
      controller.controllerExpandVolume({ volumeId, capacityRange: { requiredBytes } });
    expect(await expand(2n * GIB)).toMatchObject({ capacityBytes: 2n * GIB });
    expect(await expand(GIB)).toMatchObject({ capacityBytes: 2n * GIB });
  });

  it.each(["../volumes/x", "..", "/etc", "a/b"])("have no id that leads elsewhere: %s", async (volumeId) => {
    const { controller } = start();
    await writeFile(join(dir, "root", "kept"), "");
    await controller.deleteVolume({ volumeId });
    await expect(controller.controllerGetVolume({ volumeId })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await readdir(join(dir, "root"))).toContain("kept");
  });
});

describe("copies", () => {
  it("hold what the source held then: a snapshot, a restore of it, a clone", async () => {
    const { controller, create, dataOf } = start();
    const volumeId = await create("a", { capacityRange: { requiredBytes: 2n * GIB } });
    await writeFile(join(dataOf(volumeId), "file"), "before");
    const { snapshot } = await controller.createSnapshot({ name: "s", sourceVolumeId: volumeId });
    await writeFile(join(dataOf(volumeId), "file"), "after");
    const restore = { $case: "snapshot", value: { snapshotId: snapshot?.snapshotId ?? "" } } as const;
    const restored = await create("b", { volumeContentSource: { type: restore } });
    const cloned = await create("c", { volumeContentSource: { type: { $case: "volume", value: { volumeId } } } });
    expect(snapshot).toMatchObject({ sizeBytes: 2n * GIB, sourceVolumeId: volumeId, readyToUse: true });
    expect(await readFile(join(dataOf(restored), "file"), "utf8")).toBe("before");
    expect(await readFile(join(dataOf(cloned), "file"), "utf8")).toBe("after");
    expect((await controller.controllerGetVolume({ volumeId: restored })).volume).toMatchObject({
      capacityBytes: 2n * GIB,
      contentSource: { type: restore },
    });
  });

  it("of one name but another source are refused, and of an unknown one not found", async () => {
    const { controller, create } = start();
    const [one, other] = [await create("a"), await create("b")];
    await controller.createSnapshot({ name: "s", sourceVolumeId: one });
    const snapshot = (sourceVolumeId: string) => controller.createSnapshot({ name: "s", sourceVolumeId });
    await expect(snapshot(other)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    await controller.deleteVolume({ volumeId: one });
    expect((await controller.listSnapshots({ sourceVolumeId: one })).entries).toHaveLength(1);
    await expect(controller.createSnapshot({ name: "t", sourceVolumeId: one })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });
});

describe.each([
  ["bind mount", true],
  ["link", false],
])("a volume published by %s", (_kind, mayMount) => {
  it.skipIf(mayMount && !isRoot)("shows its files until it is unpublished, again and again", async () => {
    const { node, create, dataOf } = start(mayMount);
    const volumeId = await create("a");
    await writeFile(join(dataOf(volumeId), "file"), "data");
    const targetPath = join(dir, "pod");
    const publish = () => node.nodePublishVolume({ volumeId, targetPath, volumeCapability: capability() });
    await publish();
    await publish();
    expect(await readFile(join(targetPath, "file"), "utf8")).toBe("data");
    const { usage } = await node.nodeGetVolumeStats({ volumeId, volumePath: targetPath });
    expect(usage).toHaveLength(2);
    await node.nodeUnpublishVolume({ volumeId, targetPath });
    await node.nodeUnpublishVolume({ volumeId, targetPath });
    await expect(node.nodeGetVolumeStats({ volumeId, volumePath: targetPath })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await readFile(join(dataOf(volumeId), "file"), "utf8")).toBe("data");
  });
});

it("a link cannot be read-only, and says so", async () => {
  const { node, create } = start(false);
  const volumeId = await create("a");
  const request = { volumeId, targetPath: join(dir, "pod"), readonly: true, volumeCapability: capability() };
  await expect(node.nodePublishVolume(request)).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
});

it.skipIf(!isRoot)("a bind mount can be read-only, and stays what it is", async () => {
  const { node, create } = start();
  const volumeId = await create("a");
  const request = { volumeId, targetPath: join(dir, "pod"), volumeCapability: capability() };
  await node.nodePublishVolume({ ...request, readonly: true });
  try {
    await expect(writeFile(join(dir, "pod", "file"), "")).rejects.toMatchObject({ code: "EROFS" });
    await expect(node.nodePublishVolume(request)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  } finally {
    await node.nodeUnpublishVolume(request);
  }
});
