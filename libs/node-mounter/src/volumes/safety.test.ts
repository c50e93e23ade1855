import { beforeEach, describe, expect, it } from "vitest";

import { addNvmeVolume, connectionTo, OTHER_UUID, REQUEST, startNode, UUID } from "../../test/nvme-volume.ts";
import { findMounts } from "../mounts/mount-table.ts";
import type { NvmeConnection } from "../nvme/nvme-connection.ts";
import { type FakeHost, type FakeNvmeTarget, fakeHost } from "../testing.ts";
import { measureVolume } from "./measure-volume.ts";
import { type PublishRequest, publishVolume, unpublishVolume } from "./publish-volume.ts";
import { stageVolume } from "./stage-volume.ts";
import { unstageVolume } from "./unstage-volume.ts";
import type { VolumeParts } from "./volume-parts.ts";

const MIB = 1024n ** 2n;
const BLOCK: PublishRequest<NvmeConnection> = { ...REQUEST, access: { kind: "block" } };

let host: FakeHost;
let target: FakeNvmeTarget;
let node: VolumeParts<NvmeConnection>;
beforeEach(async () => {
  host = fakeHost();
  target = addNvmeVolume(host, UUID);
  node = await startNode(host);
});

const controllers = async () => (await host.files.list("/sys/class/nvme")) ?? [];
const written = { kind: "data", offsets: [100n * MIB] } as const;
const failingMkfs = (): void => host.inject("mkfs.ext4", { exitCode: 1 });

describe("what a pod may have written is never formatted", () => {
  it("after the volume was raw blocks, although the proof is still unused", async () => {
    await stageVolume(node, BLOCK);
    target.content = written;
    await unstageVolume(node, BLOCK);
    await expect(stageVolume(node, REQUEST)).rejects.toMatchObject({ code: "NOT_BLANK" });
    expect(host.runsOf("mkfs.ext4")).toHaveLength(0);
  });

  it("after an interrupted format was followed by raw blocks", async () => {
    failingMkfs();
    await expect(stageVolume(node, REQUEST)).rejects.toMatchObject({ code: "FORMAT_FAILED" });
    await stageVolume(node, BLOCK);
    target.content = written;
    await expect(stageVolume(node, REQUEST)).rejects.toMatchObject({ code: "NOT_BLANK" });
    expect(host.runsOf("mkfs.ext4")).toHaveLength(1);
  });

  it.each([
    ["the volume left this node", () => unstageVolume(node, REQUEST)],
    ["this node was booted anew", async () => host.reboot()],
  ])("on the permission of an interrupted format, once %s", async (_what, leave) => {
    failingMkfs();
    await expect(stageVolume(node, REQUEST)).rejects.toMatchObject({ code: "FORMAT_FAILED" });
    await leave();
    target.content = written;
    node = await startNode(host);
    const staged = stageVolume(node, { ...REQUEST, blankProof: undefined });
    await expect(staged).rejects.toMatchObject({ code: "NOT_BLANK" });
    expect(host.runsOf("mkfs.ext4")).toHaveLength(1);
  });
});

describe("an interrupted format is repeated", () => {
  it("after a power cut, as long as the storage sends the proof of the same publish", async () => {
    failingMkfs();
    await expect(stageVolume(node, REQUEST)).rejects.toMatchObject({ code: "FORMAT_FAILED" });
    target.content = { kind: "data", offsets: [4096n] };
    host.reboot();
    node = await startNode(host);
    await stageVolume(node, REQUEST);
    expect(host.runsOf("mkfs.ext4")).toHaveLength(2);
  });

  it("without any proof, where what it left bears its uuid", async () => {
    const request = { ...REQUEST, access: { kind: "filesystem", fsType: "xfs" }, blankProof: undefined } as const;
    host.inject("mkfs.xfs", { exitCode: 1, arg: "/dev/nvme0n1" });
    await expect(stageVolume(node, request)).rejects.toMatchObject({ code: "FORMAT_FAILED" });
    const uuid = (await node.records.find("v"))?.filesystemUuid ?? "";
    target.content = { kind: "filesystem", type: "xfs", uuid, unfinished: true };
    await unstageVolume(node, request);
    await stageVolume(node, request);
    expect(target.content).toMatchObject({ type: "xfs", uuid });
    expect(target.content).not.toMatchObject({ unfinished: true });
  });
});

it("a session is not ended under an mkfs that was left running: the next call waits for it", async () => {
  host.inject("mkfs.ext4", { hang: true });
  const abort = new AbortController();
  const staged = stageVolume(node, REQUEST, { signal: abort.signal });
  const unstaged = staged.catch(() => unstageVolume(node, REQUEST));
  while (host.runsOf("mkfs.ext4").length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  abort.abort();
  await expect(staged).rejects.toMatchObject({ code: "ABORTED" });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(await controllers()).toHaveLength(1);
  await expect(unstageVolume(node, REQUEST, { timeoutMs: 10 })).rejects.toMatchObject({ code: "BUSY" });
  host.releaseHung();
  await unstaged;
  expect(await controllers()).toEqual([]);
});

describe("an encrypted volume whose device was lost", () => {
  const encrypted = { ...REQUEST, encryption: { key: "swordfish" } };
  const lose = async (): Promise<void> => {
    target.exported = false;
    await host.files.list("/sys/class/nvme");
    target.exported = true;
  };

  it("does not look healthy (pain 6)", async () => {
    await stageVolume(node, encrypted);
    await lose();
    const measured = measureVolume(node, { volumeId: "v", volumePath: "/staging" });
    await expect(measured).rejects.toMatchObject({ code: "DEVICE_GONE" });
  });

  it("of raw blocks is not shown by the mapping of the lost device, although the new one is there", async () => {
    const blocks = { ...encrypted, access: { kind: "block" } } as const;
    await stageVolume(node, blocks);
    await lose();
    await node.connector.attach(blocks.connection);
    await publishVolume(node, blocks);
    expect(host.runsOf("cryptsetup").filter(([action]) => action === "open")).toHaveLength(2);
  });

  it("is staged again by the next publish, on the new device", async () => {
    await stageVolume(node, encrypted);
    await lose();
    await publishVolume(node, encrypted);
    expect(await measureVolume(node, { volumeId: "v", volumePath: "/pod" })).toMatchObject({ kind: "filesystem" });
    await unpublishVolume(node, encrypted);
    await unstageVolume(node, encrypted);
    expect(await host.files.list("/dev/mapper")).toEqual([]);
  });
});

describe("calls that come late or otherwise", () => {
  it("an unstage of a place where the volume no longer is ends nothing", async () => {
    await stageVolume(node, BLOCK);
    await stageVolume(node, { ...BLOCK, stagingPath: "/other" });
    await unstageVolume(node, BLOCK);
    expect(await controllers()).toHaveLength(1);
    await publishVolume(node, { ...BLOCK, stagingPath: "/other" });
  });

  it("a stage at another place is refused while the first is mounted", async () => {
    await stageVolume(node, REQUEST);
    const other = stageVolume(node, { ...REQUEST, stagingPath: "/other" });
    await expect(other).rejects.toMatchObject({ code: "STAGED_OTHERWISE" });
  });

  it("a stage with another session ends the one before, which nobody else would", async () => {
    addNvmeVolume(host, OTHER_UUID);
    await stageVolume(node, BLOCK);
    await stageVolume(node, { ...BLOCK, connection: connectionTo(OTHER_UUID) });
    expect(await controllers()).toHaveLength(1);
    await unstageVolume(node, BLOCK);
    expect(await controllers()).toEqual([]);
  });

  it("a repeated publish for a single pod does not mind the pod's own subPath", async () => {
    const exclusive = { ...REQUEST, exclusive: true };
    await stageVolume(node, exclusive);
    await publishVolume(node, exclusive);
    host.addFile("/pod/sub/file");
    await host.files.mkdir("/subpath");
    await host.run("mount", ["--bind", "/pod/sub", "/subpath"]);
    await publishVolume(node, exclusive);
    expect(await findMounts(host, { target: "/pod" })).toHaveLength(1);
  });
});
