import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CsiClient, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write("not root: the development driver's tests that mount are skipped\n");

const DEV = join(import.meta.dirname, "../dev");

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "spdk-csi-dev-test-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Starts a script with a temporary directory of its own, where what it leaves behind can be seen. */
function start(script: string, args: readonly string[]): ChildProcess {
  const env = { ...process.env, TMPDIR: join(dir, "tmp") };
  return spawn(process.execPath, ["--conditions=@org/source", join(DEV, script), ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, "exit");
  return child.exitCode;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("nothing happened for 15 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A socket's file is there a moment before it is listened on. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    }).on("error", () => resolve(false));
  });
}

async function expectNothingLeft(): Promise<void> {
  expect(await readdir(join(dir, "tmp"))).toEqual([]);
  expect(spawnSync("losetup", ["--list"], { encoding: "utf8" }).stdout).not.toContain(dir);
}

describe.skipIf(!ROOT)("as root", () => {
  beforeEach(() => mkdir(join(dir, "tmp")));

  it("the walk comes to its end and leaves nothing behind", async () => {
    const walk = start("walk.ts", []);
    let output = "";
    walk.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    expect(await exitOf(walk)).toBe(0);
    expect(output).toContain("the restored file is the one that was written");
    expect(output).toContain("256 MiB -> 512 MiB");
    await expectNothingLeft();
  });

  it("the walk leaves nothing behind after Ctrl-C", async () => {
    const walk = start("walk.ts", []);
    let output = "";
    walk.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await until(() => output.includes("NodePublishVolume"));
    walk.kill("SIGINT");
    expect(await exitOf(walk)).toBe(1);
    await expectNothingLeft();
  });

  it("the development driver unmounts on SIGTERM what nobody unstaged, and formats a volume once", async () => {
    const endpoint = `unix://${dir}/csi.sock`;
    const driver = start("dev.ts", ["--endpoint", endpoint]);
    await until(() => isListening(join(dir, "csi.sock")));
    using csi = new CsiClient(endpoint);
    const volumeCapability = {
      accessType: { $case: "mount" as const, value: { fsType: "ext4" } },
      accessMode: { mode: Mode.SINGLE_NODE_WRITER },
    };
    const { volume } = await csi.controller.createVolume({ name: "a", volumeCapabilities: [volumeCapability] });
    const volumeId = volume?.volumeId ?? "";
    const { nodeId, maxVolumesPerNode } = await csi.node.nodeGetInfo({});
    expect(maxVolumesPerNode).toBe(8n);
    const { publishContext } = await csi.controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability });
    const stagingTargetPath = join(dir, "staging");
    const stage = () => csi.node.nodeStageVolume({ volumeId, publishContext, stagingTargetPath, volumeCapability });
    await stage();
    await stage();
    const block = { ...volumeCapability, accessType: { $case: "block" as const, value: {} } };
    const asBlock = csi.node.nodeStageVolume({ volumeId, publishContext, stagingTargetPath, volumeCapability: block });
    await expect(asBlock).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    const xfs = { ...volumeCapability, accessType: { $case: "mount" as const, value: { fsType: "xfs" } } };
    await csi.node.nodeUnstageVolume({ volumeId, stagingTargetPath });
    const asXfs = csi.node.nodeStageVolume({ volumeId, publishContext, stagingTargetPath, volumeCapability: xfs });
    await expect(asXfs).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await stage();
    driver.kill("SIGTERM");
    expect(await exitOf(driver)).toBe(0);
    expect(existsSync(join(dir, "csi.sock"))).toBe(false);
    expect(spawnSync("findmnt", ["--noheadings", stagingTargetPath]).status).toBe(1);
    await expectNothingLeft();
  });

  it("a raw block volume is a device in the pod, measured and grown, and a single-writer one has a single path", async () => {
    const endpoint = `unix://${dir}/csi.sock`;
    const driver = start("dev.ts", ["--endpoint", endpoint]);
    await until(() => isListening(join(dir, "csi.sock")));
    using csi = new CsiClient(endpoint);
    const block = (mode: Mode) => ({ accessType: { $case: "block" as const, value: {} }, accessMode: { mode } });
    const volumeCapability = block(Mode.SINGLE_NODE_SINGLE_WRITER);
    const { volume } = await csi.controller.createVolume({ name: "raw", volumeCapabilities: [volumeCapability] });
    const volumeId = volume?.volumeId ?? "";
    const { nodeId } = await csi.node.nodeGetInfo({});
    const { publishContext } = await csi.controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability });
    const staged = { volumeId, publishContext, stagingTargetPath: join(dir, "staging"), volumeCapability };
    await csi.node.nodeStageVolume(staged);
    const publish = (targetPath: string, capability = volumeCapability) =>
      csi.node.nodePublishVolume({ ...staged, targetPath, volumeCapability: capability });
    const device = join(dir, "pod-device");
    await publish(device);
    await publish(device);
    expect(statSync(device).isBlockDevice()).toBe(true);
    await expect(publish(join(dir, "second"))).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await publish(join(dir, "second"), block(Mode.SINGLE_NODE_MULTI_WRITER));

    const stats = () => csi.node.nodeGetVolumeStats({ volumeId, volumePath: device });
    expect(await stats()).toMatchObject({ usage: [{ total: volume?.capacityBytes }] });
    const requiredBytes = 2n * 1024n ** 3n;
    const grown = await csi.controller.controllerExpandVolume({
      volumeId,
      capacityRange: { requiredBytes },
      volumeCapability,
    });
    expect(grown).toEqual({ capacityBytes: requiredBytes, nodeExpansionRequired: true });
    await csi.node.nodeExpandVolume({
      volumeId,
      volumePath: device,
      capacityRange: { requiredBytes },
      volumeCapability,
    });
    expect(await stats()).toMatchObject({ usage: [{ total: requiredBytes }] });

    for (const targetPath of [device, join(dir, "second")])
      await csi.node.nodeUnpublishVolume({ volumeId, targetPath });
    await csi.node.nodeUnstageVolume({ volumeId, stagingTargetPath: staged.stagingTargetPath });
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId });
    await csi.controller.deleteVolume({ volumeId });
    driver.kill("SIGTERM");
    expect(await exitOf(driver)).toBe(0);
    await expectNothingLeft();
  });
});
