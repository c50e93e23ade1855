import { beforeEach, describe, expect, it } from "vitest";

import { addNvmeVolume, GIB, REQUEST, startNode, UUID } from "../../test/nvme-volume.ts";
import { diagnoseMount } from "../mounts/diagnose-mount.ts";
import { findMounts } from "../mounts/mount-table.ts";
import type { NvmeConnection } from "../nvme/nvme-connection.ts";
import { type FakeHost, type FakeNvmeTarget, fakeHost } from "../testing.ts";
import { diagnoseVolume } from "./diagnose-volume.ts";
import { expandVolume } from "./expand-volume.ts";
import { measureVolume } from "./measure-volume.ts";
import { type PublishRequest, publishVolume, unpublishVolume } from "./publish-volume.ts";
import { stageVolume } from "./stage-volume.ts";
import { unstageVolume } from "./unstage-volume.ts";
import type { VolumeParts } from "./volume-parts.ts";

const BLOCK: PublishRequest<NvmeConnection> = { ...REQUEST, access: { kind: "block" } };

let host: FakeHost;
let target: FakeNvmeTarget;
let parts: VolumeParts<NvmeConnection>;
beforeEach(async () => {
  host = fakeHost();
  target = addNvmeVolume(host, UUID);
  parts = await startNode(host);
});

const controllers = async () => (await host.files.list("/sys/class/nvme")) ?? [];
const mountsAt = async (path: string) => (await findMounts(host, { target: path })).length;

describe("a volume with a filesystem", () => {
  it("is staged, published, unpublished and unstaged, each of it twice", async () => {
    for (const _ of [1, 2]) await stageVolume(parts, REQUEST);
    for (const _ of [1, 2]) await publishVolume(parts, REQUEST);
    expect(await mountsAt("/pod")).toBe(1);
    expect(await diagnoseVolume(parts, { volumeId: "v", volumePath: "/pod" })).toEqual([]);
    for (const _ of [1, 2]) await unpublishVolume(parts, REQUEST);
    for (const _ of [1, 2]) await unstageVolume(parts, REQUEST);
    expect(await controllers()).toEqual([]);
    expect(await host.files.lstat("/staging")).toBeUndefined();
    expect(await host.files.lstat("/pod")).toBeUndefined();
    expect(host.runsOf("mkfs.ext4")).toHaveLength(1);
  });

  it("has what unstage needs on disk before anything is connected (pain 13)", async () => {
    await stageVolume(parts, REQUEST);
    const order = host.events.flatMap((event) => {
      if (event.kind === "write") return event.text.includes(REQUEST.connection.nqn) ? ["record"] : [];
      return event.args[0] === "/dev/nvme-fabrics" ? ["connect"] : [];
    });
    expect(order.slice(0, 2)).toEqual(["record", "connect"]);
  });

  it("is unstaged by a new process, without the device and without the target (pain 12)", async () => {
    await stageVolume(parts, REQUEST);
    target.up = false;
    target.exported = false;
    await unstageVolume(await startNode(host), REQUEST);
    expect(await controllers()).toEqual([]);
    expect(await mountsAt("/staging")).toBe(0);
  });

  it("unmounts before it disconnects, and keeps the session while somebody uses the mount (pain 3)", async () => {
    await stageVolume(parts, REQUEST);
    host.inject("umount", { exitCode: 32, stderr: "umount: /staging: target is busy." });
    await expect(unstageVolume(parts, REQUEST)).rejects.toMatchObject({ code: "COMMAND_FAILED" });
    expect(await controllers()).toHaveLength(1);
    await unstageVolume(parts, REQUEST);
    expect(await controllers()).toEqual([]);
  });

  it("that a restore has brought grows to its device when it is staged (pain 15)", async () => {
    target.content = { kind: "filesystem", type: "ext4", uuid: UUID, sizeBytes: GIB / 2n };
    await stageVolume(parts, { ...REQUEST, mayFormat: false, blankProof: undefined });
    expect(target.content).toMatchObject({ sizeBytes: GIB });
  });

  it("grows while it is published, once the new size has arrived", async () => {
    await stageVolume(parts, REQUEST);
    await publishVolume(parts, REQUEST);
    target.sizeBytes = 2n * GIB;
    const request = { volumeId: "v", volumePath: "/pod", requiredBytes: 2n * GIB };
    expect(await expandVolume(parts, request)).toBe(2n * GIB);
    expect(target.content).toMatchObject({ sizeBytes: 2n * GIB });
  });

  it("is for one pod where that is asked", async () => {
    await stageVolume(parts, REQUEST);
    await publishVolume(parts, { ...REQUEST, exclusive: true });
    await publishVolume(parts, { ...REQUEST, exclusive: true });
    const second = publishVolume(parts, { ...REQUEST, targetPath: "/pod2", exclusive: true });
    await expect(second).rejects.toMatchObject({ code: "PUBLISHED_ELSEWHERE" });
  });

  it("is published read-only or not, never once so and once otherwise", async () => {
    await stageVolume(parts, REQUEST);
    await publishVolume(parts, REQUEST);
    await expect(publishVolume(parts, { ...REQUEST, readonly: true })).rejects.toMatchObject({ code: "MISMATCH" });
    await publishVolume(parts, { ...REQUEST, targetPath: "/pod2", readonly: true });
    await expect(publishVolume(parts, { ...REQUEST, targetPath: "/pod2" })).rejects.toMatchObject({ code: "MISMATCH" });
    expect(await parts.records.find("v")).not.toHaveProperty("binding");
  });

  it("is not published before it is staged, nor from another staging path", async () => {
    await expect(publishVolume(parts, REQUEST)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await stageVolume(parts, REQUEST);
    const elsewhere = publishVolume(parts, { ...REQUEST, stagingPath: "/elsewhere" });
    await expect(elsewhere).rejects.toMatchObject({ code: "NOT_STAGED" });
  });
});

describe("a raw block volume", () => {
  it("is measured as its device, one with a filesystem by what that says", async () => {
    await stageVolume(parts, BLOCK);
    await publishVolume(parts, BLOCK);
    expect(await measureVolume(parts, { volumeId: "v", volumePath: "/pod" })).toEqual({
      kind: "block",
      sizeBytes: GIB,
    });
    await unpublishVolume(parts, BLOCK);
    await stageVolume(parts, REQUEST);
    const usage = await measureVolume(parts, { volumeId: "v", volumePath: "/staging" });
    expect(usage).toMatchObject({ kind: "filesystem", bytes: { total: GIB } });
    const nowhere = measureVolume(parts, { volumeId: "v", volumePath: "/pod" });
    await expect(nowhere).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("is published as its device, and nothing is written to it", async () => {
    await stageVolume(parts, BLOCK);
    await publishVolume(parts, BLOCK);
    const [mount] = await findMounts(host, { target: "/pod" });
    expect(mount?.root).toBe("/nvme0n1");
    expect(target.content).toEqual({ kind: "blank" });
    await unpublishVolume(parts, BLOCK);
    await unstageVolume(parts, BLOCK);
    expect(await controllers()).toEqual([]);
  });

  it("is refused where the volume is staged with a filesystem", async () => {
    await stageVolume(parts, REQUEST);
    await expect(stageVolume(parts, BLOCK)).rejects.toMatchObject({ code: "STAGED_OTHERWISE" });
  });
});

describe("pain 21: publish without a stage before it", () => {
  it("after a reboot stages the volume again", async () => {
    await stageVolume(parts, REQUEST);
    await publishVolume(parts, REQUEST);
    host.reboot();
    parts = await startNode(host);
    await publishVolume(parts, REQUEST);
    expect(await diagnoseMount(host, "/pod")).toBeUndefined();
    expect(host.runsOf("mkfs.ext4")).toHaveLength(1);
  });

  it("after the device was lost, too", async () => {
    await stageVolume(parts, REQUEST);
    target.exported = false;
    await host.files.list("/sys/class/nvme");
    target.exported = true;
    await publishVolume(parts, REQUEST);
    expect(await diagnoseMount(host, "/pod")).toBeUndefined();
  });
});

describe("an encrypted volume", () => {
  const encrypted = { ...REQUEST, encryption: { key: "swordfish" } };

  it("is made, opened, mounted, grown and closed, and its key reaches stdin alone", async () => {
    await stageVolume(parts, encrypted);
    await publishVolume(parts, encrypted);
    target.sizeBytes = 2n * GIB;
    await expandVolume(parts, { volumeId: "v", volumePath: "/pod", requiredBytes: 2n * GIB });
    await unpublishVolume(parts, encrypted);
    await unstageVolume(parts, encrypted);
    expect(await controllers()).toEqual([]);
    expect(await host.files.list("/dev/mapper")).toEqual([]);
    const seen = host.events.map((event) => (event.kind === "run" ? event.args.join(" ") : event.text));
    expect(seen.join("\n")).not.toContain("swordfish");
  });

  it("is not staged without its key", async () => {
    await stageVolume(parts, encrypted);
    await unstageVolume(parts, encrypted);
    await expect(stageVolume(parts, REQUEST)).rejects.toMatchObject({ code: "MISSING_KEY" });
  });
});

describe("a volume that is back on a node from which it was taken while it was in use", () => {
  const [BEFORE, SINCE] = [`${"0".repeat(31)}1`, `${"0".repeat(31)}2`];
  const from = (nguid: string, more: object = {}): typeof REQUEST => ({
    ...REQUEST,
    ...more,
    connection: { ...REQUEST.connection, nguid },
  });
  const well = async (path: string) => (await diagnoseMount(host, path)) === undefined;

  it("is staged as it is now, and no pod gets the dead mount", async () => {
    target.nguid = BEFORE;
    await stageVolume(parts, from(BEFORE));
    await publishVolume(parts, from(BEFORE));
    target.nguid = SINCE;
    await stageVolume(parts, from(SINCE));
    await publishVolume(parts, { ...from(SINCE), targetPath: "/new" });
    expect([await well("/staging"), await well("/new"), await well("/pod")]).toEqual([true, true, false]);
    for (const targetPath of ["/pod", "/new"]) await unpublishVolume(parts, { volumeId: "v", targetPath });
    await unstageVolume(parts, REQUEST);
    expect(await controllers()).toEqual([]);
    expect(host.runsOf("mkfs.ext4")).toHaveLength(1);
  });

  it("and encrypted, is refused until the pod that had it has let go of the dead mapping", async () => {
    const encrypted = { encryption: { key: "swordfish" } };
    target.nguid = BEFORE;
    await stageVolume(parts, from(BEFORE, encrypted));
    await publishVolume(parts, from(BEFORE, encrypted));
    target.nguid = SINCE;
    await expect(stageVolume(parts, from(SINCE, encrypted))).rejects.toMatchObject({ code: "WRONG_MAPPING" });
    await expect(publishVolume(parts, { ...from(SINCE, encrypted), targetPath: "/new" })).rejects.toMatchObject({
      code: "WRONG_MAPPING",
    });
    await unpublishVolume(parts, { volumeId: "v", targetPath: "/pod" });
    await publishVolume(parts, { ...from(SINCE, encrypted), targetPath: "/new" });
    expect([await well("/staging"), await well("/new")]).toEqual([true, true]);
  });

  it("is staged again by a publish alone, also where the kernel has not looked yet", async () => {
    target.nguid = BEFORE;
    await stageVolume(parts, from(BEFORE));
    target.nguid = SINCE;
    expect(await well("/staging")).toBe(true);
    await publishVolume(parts, from(SINCE));
    expect(await well("/pod")).toBe(true);
    expect(await mountsAt("/staging")).toBe(1);
  });

  it("is a block device as it is now", async () => {
    target.nguid = BEFORE;
    const block = { access: { kind: "block" as const } };
    await stageVolume(parts, from(BEFORE, block));
    await publishVolume(parts, from(BEFORE, block));
    target.nguid = SINCE;
    await publishVolume(parts, { ...from(SINCE, block), targetPath: "/new" });
    const [old] = await findMounts(host, { target: "/pod" });
    const [mount] = await findMounts(host, { target: "/new" });
    expect(mount?.root).not.toBe(old?.root);
  });

  it("is unstaged without it", async () => {
    target.nguid = BEFORE;
    await stageVolume(parts, from(BEFORE));
    target.nguid = SINCE;
    await parts.connector.resize(REQUEST.connection);
    expect(await well("/staging")).toBe(false);
    await unstageVolume(parts, REQUEST);
    expect(await controllers()).toEqual([]);
  });
});

it("pain 6: a volume whose device is gone is told as such", async () => {
  await stageVolume(parts, REQUEST);
  target.up = false;
  expect(await diagnoseVolume(parts, { volumeId: "v" })).toMatchObject([{ code: "CONNECTING" }]);
  target.exported = false;
  const codes = (await diagnoseVolume(parts, { volumeId: "v", volumePath: "/staging" })).map(({ code }) => code);
  expect(codes).toEqual(["CONNECTING", "DEVICE_GONE"]);
  expect(await diagnoseVolume(parts, { volumeId: "other" })).toMatchObject([{ code: "NOT_FOUND" }]);
});
