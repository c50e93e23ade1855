import { beforeEach, describe, expect, it } from "vitest";

import { ensureMounted } from "../mounts/ensure-mounted.ts";
import { openVolumeRecords, type VolumeRecords } from "../records/volume-records.ts";
import { type FakeFilesystem, type FakeHost, fakeHost } from "../testing.ts";
import { checkFilesystem } from "./check-filesystem.ts";
import { type EnsuredFilesystem, ensureFilesystem } from "./ensure-filesystem.ts";
import { FILESYSTEM_TYPES, type FilesystemType, MADE_FILESYSTEM_TYPES } from "./filesystem-type.ts";
import type { FilesystemRequest } from "./format-call.ts";
import { growFilesystem } from "./grow-filesystem.ts";
import { volumeStats } from "./volume-stats.ts";

const DEVICE = "/dev/nvme0n1";
const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
const MIB = 1024n ** 2n;
const GIB = 1024n ** 3n;
const GROW_COMMANDS = ["resize2fs", "xfs_growfs", "btrfs"] as const;

let host: FakeHost;
let records: VolumeRecords;
beforeEach(async () => {
  host = fakeHost();
  host.addDevice(DEVICE, GIB);
  records = await openVolumeRecords(host, "/state");
});

function ensure(fsType: FilesystemType, own: Partial<FilesystemRequest> = {}): Promise<EnsuredFilesystem> {
  const request = { device: DEVICE, volumeId: "v", fsType, mayFormat: true, blankProof: { id: "p" }, ...own };
  return ensureFilesystem(host, records, request);
}

/** What NodeStageVolume does once the device is there. */
async function stage(fsType: FilesystemType, target = "/staging"): Promise<void> {
  const { type, growsAtBytes } = await ensure(fsType, { mayFormat: false });
  await ensureMounted(host, { source: DEVICE, target, fsType: type });
  await growFilesystem(host, { device: DEVICE, type, mountPath: target, growsAtBytes });
}

function holds(filesystem: Partial<FakeFilesystem> & Pick<FakeFilesystem, "type">): void {
  const device = host.device(DEVICE);
  if (device !== undefined) device.content = { kind: "filesystem", uuid: UUID, sizeBytes: GIB, ...filesystem };
}

const commands = (): string[] => host.events.flatMap((event) => (event.kind === "run" ? [event.command] : []));
const growths = (): number => GROW_COMMANDS.reduce((sum, command) => sum + host.runsOf(command).length, 0);

describe.each(MADE_FILESYSTEM_TYPES)("%s", (fsType) => {
  it("is made with a label of the volume, and without force, also when an interrupted mkfs is repeated", async () => {
    host.inject(`mkfs.${fsType}`, { exitCode: 1 });
    await expect(ensure(fsType)).rejects.toMatchObject({ code: "FORMAT_FAILED" });
    expect(await ensure(fsType)).toMatchObject({ type: fsType, formatted: true });
    const runs = host.runsOf(`mkfs.${fsType}`).filter((args) => !args.includes("-V"));
    expect(runs).toHaveLength(2);
    for (const args of runs) {
      expect(args).not.toContain("-F");
      expect(args).not.toContain("-f");
      // The first 8 digits of sha256("v").
      expect(args[args.indexOf("-L") + 1]).toBe("csi-4c94485e");
    }
  });
});

it("an unfinished xfs of ours loses its signature before it is made again, and nothing else does", async () => {
  host.inject("mkfs.xfs", {
    effect() {
      const text = host.events.findLast((event) => event.kind === "write")?.text ?? "{}";
      holds({ type: "xfs", uuid: (JSON.parse(text) as { filesystemUuid: string }).filesystemUuid, unfinished: true });
    },
  });
  await expect(ensure("xfs")).rejects.toMatchObject({ code: "FORMAT_FAILED" });
  expect(await ensure("xfs")).toMatchObject({ formatted: true });
  expect(host.runsOf("wipefs")).toContainEqual(["--all", "--types", "xfs", DEVICE]);
});

it.each(["ext4", "xfs"] as const)(
  "an unfinished %s of somebody else is neither erased nor made again",
  async (fsType) => {
    await records.update("v", { state: "formatting", fsType, filesystemUuid: "0c5e7d5a-3f0c-4c0e-8b55-0d0e6f6c2d11" });
    holds({ type: fsType, unfinished: true });
    expect(await ensure(fsType)).toMatchObject({ uuid: UUID, formatted: false });
    expect(commands()).toEqual(["blkid", "od"]);
  },
);

describe("ext3", () => {
  it("is used, checked, mounted and grown where it is found and asked for", async () => {
    holds({ type: "ext3", sizeBytes: GIB / 2n, damage: "small" });
    const { needsCheck } = await ensure("ext3");
    expect(needsCheck).toBe(true);
    await checkFilesystem(host, DEVICE, "ext3");
    await stage("ext3");
    expect(host.device(DEVICE)?.content).toMatchObject({ type: "ext3", sizeBytes: GIB, used: true });
  });

  it("is never made", async () => {
    await expect(ensure("ext3")).rejects.toMatchObject({ code: "NEVER_MADE" });
    expect(commands().some((command) => command.startsWith("mkfs"))).toBe(false);
  });

  it("is not taken for ext4", async () => {
    holds({ type: "ext3" });
    await expect(ensure("ext4")).rejects.toMatchObject({ code: "WRONG_TYPE" });
  });
});

describe("a volume that is ready", () => {
  it.each(FILESYSTEM_TYPES)(
    "takes two child processes before its mount, and no growth after it (%s)",
    async (fsType) => {
      holds({ type: fsType });
      await stage(fsType);
      expect(commands()).toEqual(["blkid", "od", "mount"]);
    },
  );

  it("costs no write to the node's disk when nothing has changed", async () => {
    holds({ type: "ext4" });
    await ensure("ext4");
    const writes = host.events.filter(({ kind }) => kind === "write").length;
    await ensure("ext4");
    expect(host.events.filter(({ kind }) => kind === "write")).toHaveLength(writes);
  });

  it("is seen although the kernel's cache first shows it blank", async () => {
    holds({ type: "ext4" });
    host.inject("blkid", { exitCode: 2, stdout: "" });
    expect(await ensure("ext4")).toMatchObject({ uuid: UUID, formatted: false });
    expect(commands()).toEqual(["blkid", "blockdev", "blkid", "od"]);
  });
});

describe("the check of a filesystem", () => {
  it("is not run where the superblock says that it is clean, or its mount does it", async () => {
    for (const type of FILESYSTEM_TYPES) {
      holds({ type });
      await checkFilesystem(host, DEVICE, type);
    }
    expect(host.runsOf("e2fsck")).toEqual([]);
  });

  it("repairs what is safe, and is not killed", async () => {
    holds({ type: "ext4", damage: "small" });
    await checkFilesystem(host, DEVICE, "ext4");
    expect(host.runsOf("e2fsck")).toEqual([["-p", DEVICE]]);
    expect(await ensure("ext4")).toMatchObject({ needsCheck: false });
  });

  const verdicts: [number, string, string][] = [
    [4, "NEEDS_REPAIR", "by hand"],
    [6, "NEEDS_REPAIR", "by hand"],
    [8, "CHECK_FAILED", "in use"],
    [16, "CHECK_FAILED", "usage"],
    [32, "CHECK_FAILED", "cancelled"],
    [2, "CHECK_FAILED", "restart"],
    [128, "CHECK_FAILED", "library"],
    // Killed by SIGKILL and by SIGTERM: not what the same bits would mean.
    [137, "CHECK_FAILED", "killed"],
    [143, "CHECK_FAILED", "killed"],
  ];
  it.each(verdicts)("that ends with %i is told as %s", async (exitCode, code, says) => {
    holds({ type: "ext4", damage: "small" });
    host.inject("e2fsck", { exitCode });
    const call = checkFilesystem(host, DEVICE, "ext4");
    await expect(call).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
  });

  it("that cannot tell whether an mkfs was finished leaves the disk as it is", async () => {
    holds({ type: "ext4", uuid: UUID, unfinished: true });
    await records.update("v", { state: "formatting", fsType: "ext4", filesystemUuid: UUID });
    for (const exitCode of [8, 137]) {
      host.inject("e2fsck", { exitCode });
      await expect(ensure("ext4")).rejects.toMatchObject({ code: "PROBE_FAILED" });
    }
    expect(host.runsOf("mkfs.ext4")).toEqual([]);
  });
});

describe("pain 15: a restore that is larger than its filesystem", () => {
  it.each(FILESYSTEM_TYPES)("is grown at its stage, and once (%s)", async (fsType) => {
    holds({ type: fsType, sizeBytes: GIB / 2n });
    await stage(fsType);
    expect(host.device(DEVICE)?.content).toMatchObject({ sizeBytes: GIB });
    await stage(fsType);
    await stage(fsType, "/staging-again");
    expect(growths()).toBe(1);
  });

  it.each(FILESYSTEM_TYPES)("is grown by an expansion, which reads the superblock itself (%s)", async (fsType) => {
    holds({ type: fsType });
    await stage(fsType);
    const device = host.device(DEVICE);
    if (device !== undefined) device.sizeBytes = 2n * GIB;
    const expand = () => growFilesystem(host, { device: DEVICE, type: fsType, mountPath: "/staging" });
    await expand();
    await expand();
    expect(host.device(DEVICE)?.content).toMatchObject({ sizeBytes: 2n * GIB });
    expect(growths()).toBe(1);
  });

  it("is left as it is where it is mounted read-only", async () => {
    holds({ type: "ext4", sizeBytes: GIB / 2n });
    await ensureMounted(host, { source: DEVICE, target: "/staging", fsType: "ext4", options: ["ro"] });
    await growFilesystem(host, { device: DEVICE, type: "ext4", mountPath: "/staging" });
    expect(growths()).toBe(0);
  });
});

it("pain 14: an xfs clone is mounted beside its origin, which has its uuid", async () => {
  holds({ type: "xfs" });
  await stage("xfs");
  host.addDevice("/dev/nvme1n1", GIB, { kind: "filesystem", type: "xfs", uuid: UUID });
  const { uuid } = await ensure("xfs", { device: "/dev/nvme1n1", volumeId: "clone", mayFormat: false });
  expect(uuid).toBe(UUID);
  await ensureMounted(host, { source: "/dev/nvme1n1", target: "/clone", fsType: "xfs", options: ["discard"] });
  expect(host.runsOf("mount").at(-1)).toEqual(["-t", "xfs", "-o", "discard,nouuid", "/dev/nvme1n1", "/clone"]);
});

describe("statistics", () => {
  it("count bytes and inodes", async () => {
    holds({ type: "ext4", sizeBytes: 400n * MIB });
    await stage("ext4");
    const { bytes, inodes } = await volumeStats(host, "/staging");
    expect(bytes.total).toBe(GIB);
    expect(bytes.used + bytes.available).toBeLessThanOrEqual(bytes.total);
    expect(inodes.total).toBe(inodes.used + inodes.available);
  });

  it("pain 6: tell that the device under a mount is gone, without asking the mount", async () => {
    holds({ type: "ext4" });
    await stage("ext4");
    host.removeDevice(DEVICE);
    const asked = host.runsOf("stat").length;
    await expect(volumeStats(host, "/staging")).rejects.toMatchObject({ code: "DEVICE_GONE" });
    expect(host.runsOf("stat")).toHaveLength(asked);
  });

  it("have a deadline", async () => {
    holds({ type: "ext4" });
    await stage("ext4");
    host.inject("stat", { hang: true });
    await expect(volumeStats(host, "/staging", { timeoutMs: 10 })).rejects.toMatchObject({ code: "TIMEOUT" });
  });
});
