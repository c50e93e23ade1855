import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { chmod, chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type CsiClient, VolumeCapability_AccessMode_Mode as Mode, VolumeUsage_Unit as Unit } from "@org/csi-framework";
import { findMounts, linuxHost, loopConnector, type NvmeConnection } from "@org/node-mounter";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  mounted,
  outcome,
  PUBLISHED,
  publishing,
  rawBlock,
  staging,
  startNode,
  UUID,
  VOLUME,
} from "./node-under-test.ts";

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write("not root: the node's tests on real loop devices are skipped\n");

const MIB = 1024 ** 2;
const GROUP = 2000;

describe.skipIf(!ROOT)("on real devices", () => {
  const host = linuxHost();
  let dir: string;
  let csi: CsiClient;
  let image: string;
  let stagingTargetPath: string;
  let pod: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "spdk-csi-node-"));
    image = join(dir, UUID);
    [stagingTargetPath, pod] = [join(dir, "staging"), join(dir, "pod")];
    writeFileSync(image, "");
    truncateSync(image, 320 * MIB);
    await start();
  });
  afterEach(async () => {
    for (const name of ["pod", "pod-2", "staging"]) {
      const path = join(dir, name);
      for (const _ of await findMounts(host, { target: path })) execFileSync("umount", [path]);
    }
    for (const device of loops()) {
      execFileSync("blockdev", ["--setrw", device]);
      execFileSync("losetup", ["--detach", device]);
    }
    await rm(dir, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    const connector = loopConnector(host, { file: ({ uuid }: NvmeConnection) => join(dir, uuid) });
    csi = await startNode(host, { connector, stateDir: join(dir, "state") });
  }

  const loops = () =>
    execFileSync("losetup", ["--list", "--noheadings", "--output", "NAME", "--associated", image], { encoding: "utf8" })
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");

  const stage = (more: Parameters<typeof staging>[0] = {}) =>
    csi.node.nodeStageVolume(staging({ stagingTargetPath, ...more }));
  const publish = (more: Parameters<typeof publishing>[0] = {}) =>
    csi.node.nodePublishVolume(publishing({ stagingTargetPath, targetPath: pod, ...more }));
  const unpublish = (targetPath = pod) => csi.node.nodeUnpublishVolume({ volumeId: VOLUME, targetPath });
  const unstage = () => csi.node.nodeUnstageVolume({ volumeId: VOLUME, stagingTargetPath });

  /** What kubelet does for a pod's fsGroup (SetVolumeOwnership): group, group's permissions, and setgid on directories. */
  async function setOwnership(path: string): Promise<void> {
    const { mode, uid } = statSync(path);
    const isDirectory = statSync(path).isDirectory();
    await chown(path, uid, GROUP);
    await chmod(path, (mode & 0o7777) | (isDirectory ? 0o2770 : 0o660));
    if (isDirectory) for (const name of await readdir(path)) await setOwnership(join(path, name));
  }

  const modeOf = (path: string) => ({ gid: statSync(path).gid, mode: (statSync(path).mode & 0o7777).toString(8) });

  it.each(["ext4", "xfs"] as const)(
    "the ownership that kubelet gives %s by fsGroup is taken, and kept over publish and stage",
    async (fsType) => {
      mkdirSync(stagingTargetPath, { mode: 0o750 });
      const volumeCapability = mounted(fsType);
      await stage({ volumeCapability });
      await publish({ volumeCapability });
      writeFileSync(join(pod, "before"), "", { mode: 0o600 });
      await setOwnership(pod);
      const expected = { gid: GROUP, mode: "2775" };
      expect(modeOf(pod)).toEqual(expected);
      writeFileSync(join(pod, "after"), "");
      expect(modeOf(join(pod, "after")).gid).toBe(GROUP);
      expect(modeOf(join(pod, "before"))).toEqual({ gid: GROUP, mode: "660" });
      // A repeated stage or publish takes nothing back.
      await stage({ volumeCapability });
      await publish({ volumeCapability });
      expect(modeOf(pod)).toEqual(expected);
      await unpublish();
      await publish({ volumeCapability });
      expect(modeOf(pod)).toEqual(expected);
      await unpublish();
      await unstage();
      await stage({ volumeCapability });
      await publish({ volumeCapability });
      expect(modeOf(pod)).toEqual(expected);
      expect(modeOf(join(pod, "before"))).toEqual({ gid: GROUP, mode: "660" });
    },
  );

  it("xfs is measured and grown in use", async () => {
    const volumeCapability = mounted("xfs");
    await stage({ volumeCapability });
    await publish({ volumeCapability });
    const at = { volumeId: VOLUME, volumePath: pod };
    const total = async () =>
      (await csi.node.nodeGetVolumeStats(at)).usage.find(({ unit }) => unit === Unit.BYTES)?.total ?? 0n;
    const before = await total();
    truncateSync(image, 640 * MIB);
    const capacityRange = { requiredBytes: BigInt(640 * MIB) };
    expect(await csi.node.nodeExpandVolume({ ...at, capacityRange })).toEqual({ capacityBytes: BigInt(640 * MIB) });
    expect(await total()).toBeGreaterThan(before + BigInt(300 * MIB));
    expect((await csi.node.nodeGetVolumeHealth({ volumeId: VOLUME })).volumeHealth?.healthStatuses).toEqual([]);
  });

  it("pain 21: a volume whose mounts and device are gone is published again with all that it held", async () => {
    await stage();
    await publish();
    writeFileSync(join(pod, "file"), "kept", { flush: true });
    execFileSync("umount", [pod]);
    execFileSync("umount", [stagingTargetPath]);
    for (const device of loops()) execFileSync("losetup", ["--detach", device]);
    await start();
    await publish();
    expect(readFileSync(join(pod, "file"), "utf8")).toBe("kept");
  });

  describe("a filesystem for readers", () => {
    const restored = () => {
      const { blankProof: _, ...publishContext } = PUBLISHED;
      return { publishContext, volumeContext: { contentSource: "snapshot" } };
    };
    const readers = (fsType: string, mode: Mode) => ({ ...restored(), volumeCapability: mounted(fsType, mode) });

    const copy = (from: string, to: string) => execFileSync("cp", ["--sparse=always", from, to]);
    const isAsBefore = () => spawnSync("cmp", [image, `${image}.before`]).status === 0;

    /** Leaves an image with a file in it, taken while it was mounted, or after. */
    async function write(fsType: string, taken: "in use" | "after"): Promise<void> {
      const volumeCapability = mounted(fsType);
      await stage({ volumeCapability });
      await publish({ volumeCapability });
      const fd = openSync(join(pod, "file"), "w");
      writeFileSync(fd, "kept", { flush: true });
      closeSync(fd);
      if (taken === "in use") copy(image, `${image}.copy`);
      await unpublish();
      await unstage();
      if (taken === "in use") copy(`${image}.copy`, image);
      copy(image, `${image}.before`);
    }

    it.each([
      ["ext4", Mode.SINGLE_NODE_READER_ONLY],
      ["ext4", Mode.MULTI_NODE_READER_ONLY],
      ["xfs", Mode.SINGLE_NODE_READER_ONLY],
      ["xfs", Mode.MULTI_NODE_READER_ONLY],
    ] as const)(
      "%s can be read and not written to (mode %i), and by several nodes not even by root",
      async (fsType, mode) => {
        await write(fsType, "after");
        await stage(readers(fsType, mode));
        await publish(readers(fsType, mode));
        expect(readFileSync(join(pod, "file"), "utf8")).toBe("kept");
        expect(() => writeFileSync(join(pod, "file"), "")).toThrow(/EROFS/);
        expect(spawnSync("mount", ["-o", "remount,rw", stagingTargetPath]).status === 0).toBe(
          mode === Mode.SINGLE_NODE_READER_ONLY,
        );
        await unpublish();
        await unstage();
        expect(loops()).toEqual([]);
        if (mode === Mode.MULTI_NODE_READER_ONLY) expect(isAsBefore()).toBe(true);
        // The device is writable again for whoever has it next.
        await stage({ volumeCapability: mounted(fsType) });
        await publish({ volumeCapability: mounted(fsType) });
        writeFileSync(join(pod, "file"), "changed");
      },
    );

    it.each(["ext4", "xfs"] as const)(
      "%s taken in use has its journal replayed on a single node, and by none of several",
      async (fsType) => {
        await write(fsType, "in use");
        expect(await outcome(stage(readers(fsType, Mode.MULTI_NODE_READER_ONLY)))).toMatchObject({
          code: "FAILED_PRECONDITION",
          message: expect.stringContaining("ReadWriteOnce"),
        });
        await unstage();
        expect(isAsBefore()).toBe(true);
        const single = readers(fsType, Mode.SINGLE_NODE_READER_ONLY);
        await stage(single);
        await publish(single);
        expect(readFileSync(join(pod, "file"), "utf8")).toBe("kept");
        expect(() => writeFileSync(join(pod, "file"), "")).toThrow(/EROFS/);
      },
    );
  });

  describe("a raw block device", () => {
    const write = (path: string) =>
      spawnSync("dd", ["if=/dev/zero", `of=${path}`, "bs=4096", "count=1", "oflag=direct", "conv=notrunc"]).status;

    it("that a pod only reads refuses to be written to, until it is one that a pod writes to", async () => {
      const volumeCapability = rawBlock();
      await stage({ volumeCapability });
      await publish({ volumeCapability, readonly: true });
      expect(statSync(pod).isBlockDevice()).toBe(true);
      expect(write(pod)).not.toBe(0);
      const second = publish({ volumeCapability, targetPath: join(dir, "pod-2") });
      expect(await outcome(second)).toMatchObject({
        code: "FAILED_PRECONDITION",
        message: expect.stringContaining(pod),
      });
      expect(await findMounts(host, { target: join(dir, "pod-2") })).toEqual([]);
      await unpublish();
      await publish({ volumeCapability });
      expect(write(pod)).toBe(0);
    });

    it.each([Mode.SINGLE_NODE_READER_ONLY, Mode.MULTI_NODE_READER_ONLY])(
      "for readers refuses to be written to (mode %i), and is let go writable",
      async (mode) => {
        const volumeCapability = rawBlock(mode);
        await stage({ volumeCapability });
        const [device = ""] = loops();
        await publish({ volumeCapability });
        expect(write(pod)).not.toBe(0);
        await unpublish();
        await unstage();
        expect(execFileSync("cat", [`/sys/block/${device.slice("/dev/".length)}/ro`], { encoding: "utf8" })).toBe(
          "0\n",
        );
      },
    );
  });
});
