import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { MAY_RESIZE_EXT4 } from "../test/may-resize-ext4.ts";
import { blockDeviceSize, logicalBlockSize } from "./block-devices/block-device.ts";
import { deviceUsers } from "./block-devices/device-users.ts";
import type { Connector } from "./connectors/connector.ts";
import { loopConnector } from "./connectors/loop-connector.ts";
import { ensureFilesystem } from "./filesystems/ensure-filesystem.ts";
import { growFilesystem } from "./filesystems/grow-filesystem.ts";
import { volumeStats } from "./filesystems/volume-stats.ts";
import { linuxHost } from "./host/linux-host.ts";
import { ensureBindMounted } from "./mounts/ensure-bind-mounted.ts";
import { ensureMounted } from "./mounts/ensure-mounted.ts";
import { findMounts } from "./mounts/mount-table.ts";
import { removeMount } from "./mounts/remove-mount.ts";
import { openVolumeRecords } from "./records/volume-records.ts";

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write("not root: the tests on real loop devices are skipped\n");

const MIB = 1024 ** 2;

if (!MAY_RESIZE_EXT4)
  process.stdout.write("no CAP_SYS_RESOURCE: a mounted ext4 cannot be grown here, its refusal is tested\n");

describe.skipIf(!ROOT)("on real devices", () => {
  const host = linuxHost();
  let dir: string;
  let connector: Connector<{ readonly file: string }>;
  let attached: string[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "node-mounter-"));
    attached = [];
    connector = loopConnector(host, { file: ({ file }) => file });
  });
  afterEach(async () => {
    for (const { target } of await findMounts(host, { target: join(dir, "pod") })) await removeMount(host, target);
    for (const name of ["clone", "staging"]) await removeMount(host, join(dir, name));
    for (const file of attached) await connector.detach({ file });
    await rm(dir, { recursive: true, force: true });
  });

  async function attach(name: string, sizeBytes = 256 * MIB): Promise<string> {
    const file = join(dir, name);
    writeFileSync(file, "", { flag: "a" });
    if (statSync(file).size === 0) truncateSync(file, sizeBytes);
    attached.push(file);
    return (await connector.attach({ file })).device;
  }

  it.each(["ext4", "xfs"] as const)(
    "%s is made, mounted, bound, filled, grown while mounted, measured and removed",
    async (fsType) => {
      const device = await attach("disk");
      expect((await connector.attach({ file: join(dir, "disk") })).device).toBe(device);
      const records = await openVolumeRecords(host, join(dir, "state"));
      const request = { device, volumeId: "v", fsType, mayFormat: true };
      expect(await ensureFilesystem(host, records, request)).toMatchObject({ formatted: true });
      expect(await ensureFilesystem(host, records, request)).toMatchObject({ formatted: false });
      const [staging, pod] = [join(dir, "staging"), join(dir, "pod")];
      await ensureMounted(host, { source: device, target: staging, fsType });
      await ensureMounted(host, { source: device, target: staging, fsType });
      await ensureBindMounted(host, { source: staging, target: pod, kind: "directory", readonly: false });
      writeFileSync(join(pod, "file"), "kept");

      const before = await volumeStats(host, pod);
      truncateSync(join(dir, "disk"), 512 * MIB);
      await connector.resize({ file: join(dir, "disk") });
      expect(await blockDeviceSize(host, device)).toBe(BigInt(512 * MIB));
      const grow = () => growFilesystem(host, { device, type: fsType, mountPath: staging });
      if (fsType === "ext4" && !MAY_RESIZE_EXT4) {
        await expect(grow()).rejects.toMatchObject({ code: "GROW_FAILED" });
      } else {
        await grow();
        await grow();
        const after = await volumeStats(host, pod);
        expect(after.bytes.total).toBeGreaterThan(before.bytes.total + BigInt(200 * MIB));
      }
      expect(readFileSync(join(pod, "file"), "utf8")).toBe("kept");

      await removeMount(host, pod);
      await removeMount(host, staging);
      await connector.detach({ file: join(dir, "disk") });
      await connector.detach({ file: join(dir, "disk") });
      expect(await connector.find({ file: join(dir, "disk") })).toBeUndefined();
    },
  );

  it("a loop device that was made read-only is so until it is detached", async () => {
    const isReadonly = (device: string) => execFileSync("blockdev", ["--getro", device], { encoding: "utf8" }).trim();
    const first = await attach("first");
    execFileSync("blockdev", ["--setro", first]);
    expect((await connector.attach({ file: join(dir, "first") })).device).toBe(first);
    expect(isReadonly(first)).toBe("1");
    await connector.detach({ file: join(dir, "first") });
    expect(isReadonly(first)).toBe("0");
  });

  it("an xfs clone is mounted beside its origin", async () => {
    const device = await attach("disk");
    const records = await openVolumeRecords(host, join(dir, "state"));
    await ensureFilesystem(host, records, { device, volumeId: "v", fsType: "xfs", mayFormat: true });
    await ensureMounted(host, { source: device, target: join(dir, "staging"), fsType: "xfs" });
    writeFileSync(join(dir, "staging/file"), "cloned", { flush: true });
    execFileSync("sync", ["-f", join(dir, "staging")]);
    execFileSync("cp", ["--sparse=always", join(dir, "disk"), join(dir, "copy")]);
    const copy = await attach("copy");
    await ensureFilesystem(host, records, { device: copy, volumeId: "c", fsType: "xfs", mayFormat: false });
    await ensureMounted(host, { source: copy, target: join(dir, "clone"), fsType: "xfs" });
    expect(readFileSync(join(dir, "clone/file"), "utf8")).toBe("cloned");
  });

  it("a bind keeps what its source is mounted with, and adds to it", async () => {
    const device = await attach("disk");
    const records = await openVolumeRecords(host, join(dir, "state"));
    await ensureFilesystem(host, records, { device, volumeId: "v", fsType: "ext4", mayFormat: true });
    const [staging, pod] = [join(dir, "staging"), join(dir, "pod")];
    await ensureMounted(host, {
      source: device,
      target: staging,
      fsType: "ext4",
      options: ["nosuid,nodev", "noatime"],
    });
    await ensureBindMounted(host, {
      source: staging,
      target: pod,
      kind: "directory",
      readonly: true,
      options: ["noexec"],
    });
    const [mount] = await findMounts(host, { target: pod });
    expect(mount?.options).toEqual(expect.arrayContaining(["ro", "nosuid", "nodev", "noexec", "noatime"]));
    expect(await logicalBlockSize(host, device)).toBe(512);
    expect(await deviceUsers(host, device)).toEqual(expect.arrayContaining([staging, pod]));
  });

  it("a bind of what was deleted since is not taken for one of what has its name now", async () => {
    const [source, pod] = [join(dir, "source"), join(dir, "pod")];
    mkdirSync(source);
    await ensureBindMounted(host, { source, target: pod, kind: "directory", readonly: false });
    rmdirSync(source);
    mkdirSync(source);
    const again = ensureBindMounted(host, { source, target: pod, kind: "directory", readonly: false });
    await expect(again).rejects.toMatchObject({ code: "TARGET_BUSY" });
  });

  it("a raw block device is bound as a file", async () => {
    const device = await attach("disk");
    const pod = join(dir, "pod");
    await ensureBindMounted(host, { source: device, target: pod, kind: "file", readonly: false });
    await ensureBindMounted(host, { source: device, target: pod, kind: "file", readonly: false });
    expect(statSync(pod).isBlockDevice()).toBe(true);
    await removeMount(host, pod);
  });

  it("a device that holds data at its end only is not formatted", async () => {
    const device = await attach("disk");
    writeFileSync(device, "data", { flag: "r+" });
    execFileSync("dd", ["if=/dev/zero", `of=${device}`, "bs=512", "count=1", "conv=fsync"], { stdio: "ignore" });
    execFileSync(
      "dd",
      ["if=/dev/urandom", `of=${device}`, "bs=512", "count=1", `seek=${(256 * MIB) / 512 - 1}`, "conv=fsync"],
      { stdio: "ignore" },
    );
    const records = await openVolumeRecords(host, join(dir, "state"));
    const format = ensureFilesystem(host, records, { device, volumeId: "v", fsType: "ext4", mayFormat: true });
    await expect(format).rejects.toMatchObject({ code: "NOT_BLANK" });
  });
});
