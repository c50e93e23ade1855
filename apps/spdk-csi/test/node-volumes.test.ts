import { type CsiClient, VolumeCapability_AccessMode_Mode as Mode, VolumeUsage_Unit as Unit } from "@org/csi-framework";
import { findMounts } from "@org/node-mounter";
import { type FakeHost, type FakeNvmeTarget, fakeHost } from "@org/node-mounter/testing";
import { beforeEach, describe, expect, it } from "vitest";

import { hostNqn } from "../src/node-identity.ts";
import {
  addVolume,
  GIB,
  HOST_NQN,
  mounted,
  NQN,
  outcome,
  POD,
  PUBLISHED,
  publishing,
  STAGING,
  staging,
  startNode,
  UUID,
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

describe("a node", () => {
  it("is known by its host NQN, and says neither a limit nor where it is unless told", async () => {
    const info = await csi.node.nodeGetInfo({});
    expect(info).toEqual({ nodeId: HOST_NQN, maxVolumesPerNode: 0n, accessibleTopology: undefined });
  });

  it("tells its limit and its topology", async () => {
    const topology = { "topology.kubernetes.io/zone": "a" };
    const there = await startNode(host, { parts: { maxVolumesPerNode: 12, topology } });
    const info = await there.node.nodeGetInfo({});
    expect(info).toMatchObject({ maxVolumesPerNode: 12n, accessibleTopology: { segments: topology } });
    const nowhere = await startNode(host, { parts: { topology: {} } });
    expect((await nowhere.node.nodeGetInfo({})).accessibleTopology).toBeUndefined();
  });

  it("whose name holds what no NQN may hold is known by its hash", () => {
    for (const name of ["a,b", "a b", "\u00fcber", "a\n"]) {
      expect(hostNqn("default", name)).toMatch(/^nqn\.2020-04\.io\.spdk\.csi:node:default:[0-9a-f]{64}$/);
    }
    expect(hostNqn("default", "ip-10-0-0-1.ec2.internal")).toContain("ip-10-0-0-1.ec2.internal");
  });

  it("leaves groups to kubelet's fsGroup: no filesystem of ours takes one at its mount", async () => {
    const volumeCapability = {
      ...mounted(),
      accessType: { $case: "mount" as const, value: { fsType: "ext4", volumeMountGroup: "2000" } },
    };
    expect(await outcome(csi.node.nodeStageVolume(staging({ volumeCapability })))).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("VOLUME_MOUNT_GROUP"),
    });
    expect(await controllers()).toEqual([]);
  });
});

describe("a filesystem", () => {
  it("goes its way with every call repeated, and leaves nothing", async () => {
    for (const _ of [1, 2]) await csi.node.nodeStageVolume(staging());
    for (const _ of [1, 2]) await csi.node.nodePublishVolume(publishing());
    expect(await mountAt(POD)).toMatchObject({ fsType: "ext4", options: ["rw"] });
    for (const _ of [1, 2]) await csi.node.nodeUnpublishVolume(unpublishing);
    for (const _ of [1, 2]) await csi.node.nodeUnstageVolume(unstaging);
    expect(await controllers()).toEqual([]);
    expect(await host.files.lstat(STAGING)).toBeUndefined();
    expect(host.runsOf("mkfs.ext4")).toHaveLength(1);
  });

  it("is the one that volume_context's fsType says, where the capability names none", async () => {
    const volumeContext = { fsType: "xfs" };
    await csi.node.nodeStageVolume(staging({ volumeContext, volumeCapability: mounted("") }));
    expect(target.content).toMatchObject({ type: "xfs" });
  });

  it("of a clone or restore is never made", async () => {
    const call = csi.node.nodeStageVolume(staging({ volumeContext: { contentSource: "snapshot" } }));
    expect(await outcome(call)).toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(target.content).toEqual({ kind: "blank" });
  });

  it("is measured and grown where it is published", async () => {
    await csi.node.nodeStageVolume(staging());
    await csi.node.nodePublishVolume(publishing());
    const stats = () => csi.node.nodeGetVolumeStats({ volumeId: VOLUME, volumePath: POD });
    const bytes = async () => (await stats()).usage.find(({ unit }) => unit === Unit.BYTES);
    expect((await stats()).usage.map(({ unit }) => unit)).toEqual([Unit.BYTES, Unit.INODES]);
    expect((await bytes())?.total).toBe(GIB);
    target.sizeBytes = 2n * GIB;
    const capacityRange = { requiredBytes: 2n * GIB };
    const grown = await csi.node.nodeExpandVolume({ volumeId: VOLUME, volumePath: POD, capacityRange });
    expect(grown.capacityBytes).toBe(2n * GIB);
    expect((await bytes())?.total).toBe(2n * GIB);
  });

  it("keeps its mount options, and those that contradict each other are told before anything is attached", async () => {
    await csi.node.nodeStageVolume(staging({ volumeCapability: mounted("ext4", undefined, ["noatime", "discard"]) }));
    expect((await mountAt(STAGING))?.options).toEqual(["rw", "noatime", "discard"]);
    await csi.node.nodeUnstageVolume(unstaging);
    for (const flags of [
      ["exec", "noexec"],
      ["data=journal", "data=ordered"],
    ]) {
      const call = csi.node.nodeStageVolume(staging({ volumeCapability: mounted("ext4", undefined, flags) }));
      expect(await outcome(call)).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(flags[0] ?? ""),
      });
    }
    expect(await controllers()).toEqual([]);
  });

  it("for a single writer has a single path", async () => {
    const volumeCapability = mounted("ext4", Mode.SINGLE_NODE_SINGLE_WRITER);
    await csi.node.nodeStageVolume(staging({ volumeCapability }));
    await csi.node.nodePublishVolume(publishing({ volumeCapability }));
    await csi.node.nodePublishVolume(publishing({ volumeCapability }));
    const second = csi.node.nodePublishVolume(publishing({ volumeCapability, targetPath: `${POD}-2` }));
    expect(await outcome(second)).toMatchObject({ code: "FAILED_PRECONDITION", message: expect.stringContaining(POD) });
    const many = publishing({ volumeCapability: mounted("ext4", Mode.SINGLE_NODE_MULTI_WRITER) });
    await csi.node.nodePublishVolume({ ...many, targetPath: `${POD}-2` });
  });

  it("that is published read-only at a path is so at that path alone", async () => {
    await csi.node.nodeStageVolume(staging());
    await csi.node.nodePublishVolume(publishing({ readonly: true }));
    expect((await mountAt(POD))?.options).toContain("ro");
    expect((await mountAt(STAGING))?.options).toContain("rw");
    expect(await outcome(csi.node.nodePublishVolume(publishing()))).toMatchObject({ code: "ALREADY_EXISTS" });
    await csi.node.nodePublishVolume(publishing({ targetPath: `${POD}-2` }));
    expect((await mountAt(`${POD}-2`))?.options).toContain("rw");
  });

  it("is not published without a staging path, nor at another one than it was staged at", async () => {
    await csi.node.nodeStageVolume(staging());
    const without = csi.node.nodePublishVolume(publishing({ stagingTargetPath: "" }));
    expect(await outcome(without)).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("staging_target_path"),
    });
    const elsewhere = csi.node.nodePublishVolume(publishing({ stagingTargetPath: `${STAGING}-2` }));
    expect(await outcome(elsewhere)).toMatchObject({ code: "FAILED_PRECONDITION" });
  });

  it("pain 15: of a restore that is larger than its snapshot grows when it is staged", async () => {
    target.content = { kind: "filesystem", type: "ext4", uuid: UUID, sizeBytes: GIB / 2n };
    const { blankProof: _, ...publishContext } = PUBLISHED;
    await csi.node.nodeStageVolume(staging({ publishContext, volumeContext: { contentSource: "snapshot" } }));
    expect(target.content).toMatchObject({ uuid: UUID, sizeBytes: GIB });
  });

  it("pain 24: what lies below its path is never removed", async () => {
    await csi.node.nodeStageVolume(staging());
    await csi.node.nodePublishVolume(publishing());
    await host.run("umount", [POD]);
    host.addFile(`${POD}/precious`, "kept");
    expect(await outcome(csi.node.nodeUnpublishVolume(unpublishing))).toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(await host.files.readText(`${POD}/precious`)).toBe("kept");
  });
});

describe("a static volume of upstream, by its bare uuid and without an attach", () => {
  const volume = { volumeId: UUID, publishContext: {} };
  const upstream = { targetType: "TCP", targetAddr: "192.0.2.1", targetPort: "4420", nqn: NQN, model: UUID };

  it("is staged with what it holds, published, grown and taken away", async () => {
    target.content = { kind: "filesystem", type: "ext4", uuid: UUID, sizeBytes: GIB };
    const request = { ...volume, volumeContext: upstream };
    await csi.node.nodeStageVolume(staging(request));
    await csi.node.nodePublishVolume(publishing(request));
    expect(await mountAt(POD)).toMatchObject({ fsType: "ext4", options: ["rw"] });
    target.sizeBytes = 2n * GIB;
    const capacityRange = { requiredBytes: 2n * GIB };
    await csi.node.nodeExpandVolume({ volumeId: UUID, volumePath: POD, capacityRange });
    expect(target.content).toMatchObject({ uuid: UUID, sizeBytes: 2n * GIB });
    await csi.node.nodeUnpublishVolume({ volumeId: UUID, targetPath: POD });
    await csi.node.nodeUnstageVolume({ volumeId: UUID, stagingTargetPath: STAGING });
    expect(await controllers()).toEqual([]);
    expect(host.runsOf("mkfs.ext4")).toEqual([]);
  });

  it("that nobody has formatted is read as a whole first: there is no proof that it is blank", async () => {
    target.content = { kind: "data", offsets: [GIB / 2n] };
    const call = csi.node.nodeStageVolume(staging({ ...volume, volumeContext: upstream }));
    expect(await outcome(call)).toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(host.runsOf("mkfs.ext4")).toEqual([]);
  });

  it.each([
    ["without a connection", {}, "FAILED_PRECONDITION", "nqn, model, targetAddr"],
    ["over another transport", { ...upstream, targetType: "RDMA" }, "INVALID_ARGUMENT", 'targetType "RDMA"'],
  ])("%s is refused with the reason", async (_, volumeContext, code, message) => {
    const call = csi.node.nodeStageVolume(staging({ ...volume, volumeContext }));
    expect(await outcome(call)).toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe("errors and their ends", () => {
  it("pain 22: a volume whose target is dead is unmounted without a look at it, and let go", async () => {
    await csi.node.nodeStageVolume(staging());
    await csi.node.nodePublishVolume(publishing());
    target.up = false;
    const before = host.events.length;
    await csi.node.nodeUnpublishVolume(unpublishing);
    await csi.node.nodeUnstageVolume(unstaging);
    expect(await controllers()).toEqual([]);
    const ran = host.events.slice(before).flatMap((event) => (event.kind === "run" ? [event.command] : []));
    expect(ran.filter((command) => command === "stat" || command === "blkid" || command === "od")).toEqual([]);
  });

  it("pain 8: the host id is the host NQN's own", async () => {
    await csi.node.nodeStageVolume(staging());
    const line = host.events.find((event) => event.kind === "run" && event.args[0] === "/dev/nvme-fabrics");
    const input = line?.kind === "run" ? (line.input ?? "") : "";
    expect(input).toContain(`hostnqn=${HOST_NQN},`);
    expect(/hostid=([^,]+)/.exec(input)?.[1]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-/);
    expect(input).toContain(`nqn=${NQN},`);
  });

  it("pain 5: a target that is connected and shows no namespace is told so, and repaired when it shows it again", async () => {
    target.exported = false;
    expect(await outcome(csi.node.nodeStageVolume(staging()))).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("shows no namespace"),
    });
    target.exported = true;
    await csi.node.nodeStageVolume(staging());
  });

  describe("a stage that fails leaves", () => {
    const REFUSED = { exitCode: 32, stderr: "mount: wrong fs type, bad option, bad superblock." };

    it("nothing where kubelet takes it for refused, and sends no unstage", async () => {
      host.inject("mount", REFUSED);
      expect(await outcome(csi.node.nodeStageVolume(staging()))).toMatchObject({ code: "INTERNAL" });
      expect(await controllers()).toEqual([]);
      await csi.node.nodeStageVolume(staging());
      await csi.node.nodePublishVolume(publishing());
    });

    it("its session where kubelet unstages, or asks again", async () => {
      host.inject("mount", { hang: true });
      const abort = new AbortController();
      const call = outcome(csi.node.nodeStageVolume(staging(), { signal: abort.signal }));
      while (host.runsOf("mount").length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      abort.abort();
      expect(await call).toMatchObject({ code: "CANCELLED" });
      expect(await controllers()).toHaveLength(1);
      host.releaseHung();
    });

    it("a session that was there before it, and what it carries", async () => {
      await csi.node.nodeStageVolume(staging());
      await csi.node.nodePublishVolume(publishing());
      const elsewhere = staging({ stagingTargetPath: "/elsewhere" });
      expect(await outcome(csi.node.nodeStageVolume(elsewhere))).toMatchObject({ code: "ALREADY_EXISTS" });
      expect(await controllers()).toHaveLength(1);
      expect(await mountAt(POD)).toBeDefined();
      expect(await mountAt(STAGING)).toBeDefined();
    });
  });

  it("a volume whose mkfs outlives its call stays locked until that has ended", async () => {
    host.inject("mkfs.ext4", { hang: true });
    const abort = new AbortController();
    const call = outcome(csi.node.nodeStageVolume(staging(), { signal: abort.signal }));
    while (host.runsOf("mkfs.ext4").length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    expect(await call).toMatchObject({ code: "CANCELLED" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await outcome(csi.node.nodeUnstageVolume(unstaging))).toMatchObject({ code: "ABORTED" });
    host.releaseHung();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await csi.node.nodeUnstageVolume(unstaging);
  });
});
