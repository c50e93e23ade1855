import { execFileSync } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Connector } from "../connectors/connector.ts";
import { loopConnector } from "../connectors/loop-connector.ts";
import type { Host } from "../host/host.ts";
import { linuxHost } from "../host/linux-host.ts";
import { ensureMounted } from "../mounts/ensure-mounted.ts";
import { findMounts } from "../mounts/mount-table.ts";
import { removeMount } from "../mounts/remove-mount.ts";
import { openVolumeRecords, type VolumeRecords } from "../records/volume-records.ts";
import { ensureFilesystem } from "./ensure-filesystem.ts";
import { parseExtSuperblock } from "./ext-superblock.ts";
import { FILESYSTEM_TYPES, type FilesystemType } from "./filesystem-type.ts";
import { growFilesystem } from "./grow-filesystem.ts";
import { volumeStats } from "./volume-stats.ts";

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write("not root: the tests of real filesystems on loop devices are skipped\n");

const MIB = 1024 ** 2;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "real-filesystems-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe.skipIf(!ROOT)("a real filesystem", () => {
  const commands: string[] = [];
  const real = linuxHost();
  const host: Host = {
    files: real.files,
    run(command, args, options) {
      commands.push(command);
      return real.run(command, args, options);
    },
  };
  let connector: Connector<{ readonly file: string }>;
  let records: VolumeRecords;
  let file: string;
  let staging: string;
  beforeEach(async () => {
    connector = loopConnector(real, { file: (connection) => connection.file });
    records = await openVolumeRecords(real, join(dir, "records"));
    file = join(dir, "disk");
    staging = join(dir, "staging");
  });
  afterEach(async () => {
    await removeMount(real, staging);
    await connector.detach({ file });
  });

  async function attach(sizeBytes: number): Promise<string> {
    writeFileSync(file, "");
    truncateSync(file, sizeBytes);
    return (await connector.attach({ file })).device;
  }

  async function stage(device: string, fsType: FilesystemType): Promise<string[]> {
    commands.length = 0;
    const request = { device, volumeId: "v", fsType, mayFormat: true, blankProof: { id: "p" } };
    const { needsCheck, growsAtBytes } = await ensureFilesystem(host, records, request);
    expect(needsCheck).toBe(false);
    await ensureMounted(host, { source: device, target: staging, fsType });
    await growFilesystem(host, { device, type: fsType, mountPath: staging, growsAtBytes });
    return [...commands];
  }

  it.each(FILESYSTEM_TYPES)(
    "%s is found by its device's number, measured, and ready in one look, in two on another node",
    async (fsType) => {
      const device = await attach(320 * MIB);
      if (fsType === "ext3") execFileSync("mkfs.ext3", ["-q", device]);
      await stage(device, fsType);
      writeFileSync(join(staging, "file"), "kept");
      expect(await findMounts(real, { device })).toMatchObject([{ target: staging, fsType }]);
      const { bytes } = await volumeStats(real, staging);
      expect(bytes.total).toBeGreaterThan(BigInt(200 * MIB));
      expect(bytes.used).toBeGreaterThan(0n);
      await removeMount(real, staging);
      expect(await stage(device, fsType)).toEqual(["od", "mount"]);
      expect(readFileSync(join(staging, "file"), "utf8")).toBe("kept");
      // Staged again while it is mounted: the superblock of a mounted filesystem is as good.
      expect(await stage(device, fsType)).toEqual(["od"]);
      await removeMount(real, staging);
      records = await openVolumeRecords(real, join(dir, "another"));
      expect(await stage(device, fsType)).toEqual(["blkid", "od", "mount"]);
    },
  );

  it.each(["xfs", "btrfs"] as const)(
    "%s of any size is grown as far as it goes, and then not again",
    async (fsType) => {
      // The last is an allocation group and a piece that is too small to be another.
      const sizes = [300 * MIB + 512, 301 * MIB, 333 * MIB + 5 * 512, 600 * MIB + 32 * 4096];
      const device = await attach(sizes[0] ?? 0);
      await stage(device, fsType);
      for (const size of sizes.slice(1)) {
        truncateSync(file, size);
        await connector.resize({ file });
        const grow = () => growFilesystem(host, { device, type: fsType, mountPath: staging });
        await grow();
        await real.run("sync", ["-f", staging]);
        commands.length = 0;
        await removeMount(real, staging);
        expect(await stage(device, fsType)).toEqual(["od", "mount"]);
        await grow();
        expect(commands.slice(2)).toEqual(["od"]);
      }
    },
  );

  it.each(["ext4", "xfs", "btrfs"] as const)("%s bears the volume's label", async (fsType) => {
    const device = await attach(320 * MIB);
    await stage(device, fsType);
    expect(execFileSync("blkid", ["-p", "-s", "LABEL", "-o", "value", device], { encoding: "utf8" }).trim()).toBe(
      "csi-4c94485e",
    );
  });
});

describe("an ext4", () => {
  /** From what size on the filesystem in a file can grow. */
  function growsAt(file: string): bigint {
    return parseExtSuperblock(readFileSync(file).subarray(1024, 1536))?.growsAtBytes ?? 0n;
  }

  /** Whether resize2fs grows it when its file has this size. */
  function grows(file: string, sizeBytes: bigint): boolean {
    const copy = `${file}.copy`;
    execFileSync("cp", ["--sparse=always", file, copy]);
    truncateSync(copy, Number(sizeBytes));
    const before = growsAt(copy);
    execFileSync("resize2fs", [copy], { stdio: "ignore" });
    return growsAt(copy) > before;
  }

  const sizes: [string, number][] = [
    ["whole groups, the next with a backup", 128 * MIB],
    ["whole groups, the next without", 256 * MIB],
    ["a last group that is not full", 300 * MIB],
    ["a rest too small for a group", 258 * MIB + 512],
  ];
  it.each(sizes)("of %s can grow from exactly the size on that its superblock tells", (_what, sizeBytes) => {
    const file = join(dir, "ext4");
    writeFileSync(file, "");
    truncateSync(file, sizeBytes);
    execFileSync("mkfs.ext4", ["-q", "-b", "4096", "-E", "lazy_itable_init=1,lazy_journal_init=1", file]);
    const at = growsAt(file);
    expect(at).toBeGreaterThan(BigInt(sizeBytes) - 4096n);
    expect(grows(file, at)).toBe(true);
    // Less than a page of 64 KiB is not worth a command.
    expect(grows(file, at - 65_536n)).toBe(false);
  });
});
