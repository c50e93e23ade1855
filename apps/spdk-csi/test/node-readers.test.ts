import { type CsiClient, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { findMounts } from "@org/node-mounter";
import { type FakeHost, type FakeNvmeTarget, fakeHost } from "@org/node-mounter/testing";
import { beforeEach, describe, expect, it } from "vitest";

import {
  addVolume,
  mounted,
  outcome,
  POD,
  PUBLISHED,
  publishing,
  STAGING,
  staging,
  startNode,
  UUID,
} from "./node-under-test.ts";

let host: FakeHost;
let target: FakeNvmeTarget;
let csi: CsiClient;
beforeEach(async () => {
  host = fakeHost();
  target = addVolume(host);
  csi = await startNode(host);
});

const mountAt = async (path: string) => (await findMounts(host, { target: path }))[0];

describe("a filesystem that is only read", () => {
  const { blankProof: _, ...publishContext } = PUBLISHED;
  const restored = { publishContext, volumeContext: { contentSource: "snapshot" } };

  it("is mounted read-only on a single node, where its journal may be replayed", async () => {
    target.content = { kind: "filesystem", type: "ext4", uuid: UUID };
    const volumeCapability = mounted("ext4", Mode.SINGLE_NODE_READER_ONLY);
    for (const _ of [1, 2]) {
      await csi.node.nodeStageVolume(staging({ ...restored, volumeCapability }));
      await csi.node.nodePublishVolume(publishing({ ...restored, volumeCapability }));
    }
    expect((await mountAt(STAGING))?.options).toEqual(["ro"]);
    expect((await mountAt(POD))?.options).toEqual(["ro"]);
    expect(host.runsOf("blockdev")).toEqual([]);
  });

  it("is mounted from a device that nobody may write to where several nodes read it", async () => {
    target.content = { kind: "filesystem", type: "ext4", uuid: UUID };
    const volumeCapability = mounted("ext4", Mode.MULTI_NODE_READER_ONLY);
    await csi.node.nodeStageVolume(staging({ ...restored, volumeCapability }));
    const order = host.events.flatMap((event) =>
      event.kind === "run" && (event.command === "blockdev" || event.command === "mount") ? [event.command] : [],
    );
    expect(order).toEqual(["blockdev", "mount"]);
    expect(host.runsOf("blockdev")).toEqual([["--setro", "/dev/nvme0n1"]]);
    expect((await mountAt(STAGING))?.options).toEqual(["ro"]);
  });

  it("and was not unmounted cleanly is refused on several nodes, with what helps", async () => {
    target.content = { kind: "filesystem", type: "ext4", uuid: UUID };
    host.inject("mount", { exitCode: 32, stderr: "mount: cannot mount /dev/nvme0n1 read-only." });
    const volumeCapability = mounted("ext4", Mode.MULTI_NODE_READER_ONLY);
    expect(await outcome(csi.node.nodeStageVolume(staging({ ...restored, volumeCapability })))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringMatching(/read-only.*ReadWriteOnce/),
    });
  });

  it.each([
    ["by its access mode", mounted("ext4", Mode.SINGLE_NODE_READER_ONLY)],
    ["on several nodes", mounted("ext4", Mode.MULTI_NODE_READER_ONLY)],
    ["by its mount options", mounted("ext4", undefined, ["noatime,ro"])],
  ])("%s is never made", async (_how, volumeCapability) => {
    expect(await outcome(csi.node.nodeStageVolume(staging({ volumeCapability })))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("access mode that writes"),
    });
    expect(target.content).toEqual({ kind: "blank" });
  });

  it("is not mounted rw by an option of the StorageClass", async () => {
    const volumeCapability = mounted("ext4", Mode.SINGLE_NODE_READER_ONLY, ["rw"]);
    const call = csi.node.nodeStageVolume(staging({ ...restored, volumeCapability }));
    expect(await outcome(call)).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining("rw") });
  });

  it.each([Mode.MULTI_NODE_SINGLE_WRITER, Mode.MULTI_NODE_MULTI_WRITER])(
    "is all that several nodes may have: mode %i is refused",
    async (mode) => {
      const call = csi.node.nodeStageVolume(staging({ volumeCapability: mounted("ext4", mode) }));
      expect(await outcome(call)).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("MULTI_NODE"),
      });
    },
  );
});
