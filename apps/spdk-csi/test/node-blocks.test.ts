import { type CsiClient, VolumeCapability_AccessMode_Mode as Mode, VolumeUsage_Unit as Unit } from "@org/csi-framework";
import { findMounts } from "@org/node-mounter";
import { type FakeHost, type FakeNvmeTarget, fakeHost } from "@org/node-mounter/testing";
import { beforeEach, describe, expect, it } from "vitest";

import {
  addVolume,
  GIB,
  outcome,
  POD,
  publishing,
  rawBlock,
  STAGING,
  staging,
  startNode,
  VOLUME,
} from "./node-under-test.ts";

let host: FakeHost;
let target: FakeNvmeTarget;
let csi: CsiClient;
beforeEach(async () => {
  host = fakeHost();
  target = addVolume(host);
  csi = await startNode(host);
});

const controllers = async () => (await host.files.list("/sys/class/nvme")) ?? [];
const mountAt = async (path: string) => (await findMounts(host, { target: path }))[0];
const unstaging = { volumeId: VOLUME, stagingTargetPath: STAGING };
const unpublishing = { volumeId: VOLUME, targetPath: POD };

describe("a raw block device", () => {
  const volumeCapability = rawBlock();
  // The fake does not find a device by another path than its own.
  const letSetReadonly = (path: string) => host.inject("blockdev", { exitCode: 0, arg: path });

  it("is the device itself, and nothing is written to it", async () => {
    await csi.node.nodeStageVolume(staging({ volumeCapability }));
    for (const _ of [1, 2]) await csi.node.nodePublishVolume(publishing({ volumeCapability }));
    expect((await host.files.lstat(POD))?.kind).toBe("block");
    expect(target.content).toEqual({ kind: "blank" });
    expect(host.runsOf("blockdev")).toEqual([]);
    await csi.node.nodeUnpublishVolume(unpublishing);
    await csi.node.nodeUnstageVolume(unstaging);
    expect(await controllers()).toEqual([]);
  });

  it("is measured and grown", async () => {
    await csi.node.nodeStageVolume(staging({ volumeCapability }));
    await csi.node.nodePublishVolume(publishing({ volumeCapability }));
    const at = { volumeId: VOLUME, volumePath: POD };
    expect((await csi.node.nodeGetVolumeStats(at)).usage).toMatchObject([{ unit: Unit.BYTES, total: GIB }]);
    target.sizeBytes = 2n * GIB;
    await csi.node.nodeExpandVolume({ ...at, capacityRange: { requiredBytes: 2n * GIB } });
    expect((await csi.node.nodeGetVolumeStats(at)).usage).toMatchObject([{ total: 2n * GIB }]);
  });

  it("may be on several nodes with writers on each", async () => {
    const shared = rawBlock(Mode.MULTI_NODE_MULTI_WRITER);
    await csi.node.nodeStageVolume(staging({ volumeCapability: shared }));
    await csi.node.nodePublishVolume(publishing({ volumeCapability: shared }));
  });

  it.each([
    ["for readers only", { volumeCapability: rawBlock(Mode.SINGLE_NODE_READER_ONLY) }],
    ["for readers on several nodes", { volumeCapability: rawBlock(Mode.MULTI_NODE_READER_ONLY) }],
    ["of a pod that only reads", { volumeCapability, readonly: true }],
  ])("%s is made read-only", async (_, request) => {
    letSetReadonly(POD);
    await csi.node.nodeStageVolume(staging({ volumeCapability: request.volumeCapability }));
    await csi.node.nodePublishVolume(publishing(request));
    expect(host.runsOf("blockdev")).toEqual([["--setro", POD]]);
    expect((await mountAt(POD))?.options).toContain("ro");
  });

  it("is read-only for all paths of a node or for none, because it is one device", async () => {
    await csi.node.nodeStageVolume(staging({ volumeCapability }));
    await csi.node.nodePublishVolume(publishing({ volumeCapability }));
    const targetPath = `${POD}-2`;
    const reader = csi.node.nodePublishVolume(publishing({ volumeCapability, targetPath, readonly: true }));
    expect(await outcome(reader)).toMatchObject({ code: "FAILED_PRECONDITION", message: expect.stringContaining(POD) });
    expect(await mountAt(targetPath)).toBeUndefined();
    expect(host.runsOf("blockdev")).toEqual([]);
    await csi.node.nodePublishVolume(publishing({ volumeCapability, targetPath }));
    for (const path of [POD, targetPath]) await csi.node.nodeUnpublishVolume({ volumeId: VOLUME, targetPath: path });
    letSetReadonly(targetPath);
    await csi.node.nodePublishVolume(publishing({ volumeCapability, targetPath, readonly: true }));
  });

  it("is read by two pods of a node, though kubelet binds what each is given once more, and always read-write", async () => {
    letSetReadonly(POD);
    await csi.node.nodeStageVolume(staging({ volumeCapability }));
    await csi.node.nodePublishVolume(publishing({ volumeCapability, readonly: true }));
    const device = await host.files.lstat(POD);
    host.addFile(`/sys/dev/block/${device?.deviceNumber}/ro`, "1\n");
    host.addFile("/kubelet/volumeDevices/dev/1");
    await host.run("mount", ["--bind", POD, "/kubelet/volumeDevices/dev/1"]);
    await host.run("mount", ["-o", "remount,bind,rw", "/kubelet/volumeDevices/dev/1"]);
    const second = { volumeCapability, targetPath: `${POD}-2` };
    for (const request of [second, { volumeCapability }]) {
      await csi.node.nodePublishVolume(publishing({ ...request, readonly: true }));
    }
    expect((await mountAt(second.targetPath))?.options).toContain("ro");
    const writer = csi.node.nodePublishVolume(publishing({ volumeCapability, targetPath: `${POD}-3` }));
    expect(await outcome(writer)).toMatchObject({ code: "FAILED_PRECONDITION" });
  });
});
