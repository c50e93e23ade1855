import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Host } from "./nvme-tcp/host.ts";
import { ADDRESS, HOST_NQN, NQN, startTarget, type Target } from "./nvme-tcp/target.ts";

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write("not root: copies on filesystems that share blocks are not tested\n");

const MIB = 1024 ** 2;
const WRITTEN = 48 * MIB;

describe.skipIf(!ROOT).each([
  ["xfs", true, 320],
  ["btrfs", true, 320],
  ["ext4", false, 320],
])("on %s", (filesystem, shares, mebibytes) => {
  let dir: string;
  let disk: string;
  let target: Target;
  let host: Host;

  const cleanups: (() => unknown)[] = [];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "reflink-"));
    cleanups.push(() => rmSync(dir, { recursive: true }));
    disk = join(dir, "disk");
    writeFileSync(join(dir, "image"), "");
    truncateSync(join(dir, "image"), mebibytes * MIB);
    execFileSync(`mkfs.${filesystem}`, ["-q", join(dir, "image")]);
    mkdirSync(disk);
    execFileSync("mount", ["-o", "loop", join(dir, "image"), disk]);
    cleanups.push(() => execFileSync("umount", [disk]));
    target = await startTarget({ emulator: { dir: disk } });
    cleanups.push(() => target.close());
    host = await Host.connect({ address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN });
    cleanups.push(() => host.close());
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  const used = (): number => {
    execFileSync("sync", ["-f", disk]);
    const { blocks, bfree, bsize } = statfsSync(disk);
    return (blocks - bfree) * bsize;
  };
  const sha = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

  it(`snapshots and clones ${shares ? "share" : "copy"} what is written, and stay apart`, {
    timeout: 60_000,
  }, async () => {
    const data = randomBytes(WRITTEN);
    await host.write(0, data);
    const before = used();
    await target.rpc("bdev_lvol_snapshot", { lvol_name: "lvs0/v", snapshot_name: "s" });
    const clone = await target.rpc("bdev_lvol_clone", { snapshot_name: "lvs0/s", clone_name: "c" });
    const taken = used() - before;
    if (shares) expect(taken).toBeLessThan(4 * MIB);
    else expect(taken).toBeGreaterThan(1.9 * WRITTEN);

    await target.rpc("nvmf_subsystem_add_ns", { nqn: NQN, namespace: { bdev_name: clone, nsid: 2 } });
    await host.write(MIB, Buffer.alloc(MIB, 1), { nsid: 2 });
    await host.write(2 * MIB, Buffer.alloc(MIB, 2));
    expect(sha(await host.read(0, WRITTEN))).toBe(sha(Buffer.from(data).fill(2, 2 * MIB, 3 * MIB)));
    expect(sha(await host.read(0, WRITTEN, { nsid: 2 }))).toBe(sha(Buffer.from(data).fill(1, MIB, 2 * MIB)));
    expect(await clusters("lvs0/s")).toBe(WRITTEN / MIB);
    expect(await clusters("lvs0/c")).toBe(1);
  });

  async function clusters(name: string): Promise<number> {
    const [bdev] = (await target.rpc("bdev_get_bdevs", { name })) as [
      { driver_specific: { lvol: { num_allocated_clusters: number } } },
    ];
    return bdev.driver_specific.lvol.num_allocated_clusters;
  }
});
