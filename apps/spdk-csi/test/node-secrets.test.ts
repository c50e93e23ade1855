import { setTimeout } from "node:timers/promises";
import { crc32 } from "node:zlib";

import { type CsiClient, jsonLogger } from "@org/csi-framework";
import { findMounts } from "@org/node-mounter";
import { type FakeHost, type FakeNvmeTarget, fakeHost } from "@org/node-mounter/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  addVolume,
  GIB,
  mounted,
  outcome,
  POD,
  PUBLISHED,
  publishing,
  rawBlock,
  STAGING,
  staging,
  startNode,
  UUID,
  VOLUME,
} from "./node-under-test.ts";

const HOST_KEY = dhchapKey(1);
const CONTROLLER_KEY = dhchapKey(2);
const PASSPHRASE = "correct horse battery staple";
const LUKS = { encryption: "luks2" };
const STAGE_SECRET = "csi.storage.k8s.io/node-stage-secret-name";
const PUBLISH_SECRET = "csi.storage.k8s.io/node-publish-secret-name";

/** As nvme-cli's gen-dhchap-key writes it. */
function dhchapKey(seed: number): string {
  const key = Buffer.alloc(32, seed);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(key));
  return `DHHC-1:00:${Buffer.concat([key, checksum]).toString("base64")}:`;
}

let host: FakeHost;
let target: FakeNvmeTarget;
let csi: CsiClient;
let log = "";
/** What every call said when it failed. */
let said = "";

beforeEach(async () => {
  host = fakeHost();
  target = addVolume(host);
  [log, said] = ["", ""];
  csi = await restarted();
});

afterEach(async () => {
  const records = (await host.files.list("/state")) ?? [];
  const texts = await Promise.all(records.map((name) => host.files.readText(`/state/${name}`)));
  const args = host.events.flatMap((event) => (event.kind === "run" ? event.args : []));
  for (const secret of [HOST_KEY, CONTROLLER_KEY, PASSPHRASE, "another passphrase"]) {
    expect([log, said, ...texts, ...args].filter((text) => text?.includes(secret))).toEqual([]);
  }
});

const restarted = () => startNode(host, { logger: jsonLogger({ write: (text) => (log += text) }, "debug") });
const mounts = async (path: string) => (await findMounts(host, { target: path })).length;
const controllers = async () => (await host.files.list("/sys/class/nvme")) ?? [];

async function ends(call: Promise<unknown>): Promise<Awaited<ReturnType<typeof outcome>>> {
  const end = await outcome(call);
  said += end.message;
  return end;
}

function connectLines(): string[] {
  return host.events.flatMap((event) =>
    event.kind === "run" && event.args[0] === "/dev/nvme-fabrics" ? [event.input ?? ""] : [],
  );
}

describe("a target that authenticates its hosts", () => {
  const publishContext = { ...PUBLISHED, dhchap: "host" };
  const secrets = { dhchapKey: HOST_KEY };
  beforeEach(() => {
    target.dhchapKey = HOST_KEY;
  });

  it("gets the key of the stage's secret, and not that of the controller", async () => {
    await csi.node.nodeStageVolume(
      staging({ publishContext, secrets: { ...secrets, dhchapCtrlrKey: CONTROLLER_KEY } }),
    );
    expect(connectLines()).toEqual([expect.stringContaining(`dhchap_secret=${HOST_KEY}`)]);
    expect(connectLines()[0]).not.toContain("dhchap_ctrl_secret");
  });

  it("takes a key from a file that ends in a newline", async () => {
    await csi.node.nodeStageVolume(staging({ publishContext, secrets: { dhchapKey: `${HOST_KEY}\n` } }));
  });

  it("is not even tried without a key, and where it belongs is said", async () => {
    expect(await ends(csi.node.nodeStageVolume(staging({ publishContext })))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringMatching(new RegExp(`dhchapKey.*${STAGE_SECRET}`)),
    });
    expect(connectLines()).toEqual([]);
  });

  it("and itself needs both keys: one of them alone would not prove the target", async () => {
    const mutual = { ...PUBLISHED, dhchap: "mutual" };
    expect(await ends(csi.node.nodeStageVolume(staging({ publishContext: mutual, secrets })))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("dhchapCtrlrKey"),
    });
    expect(connectLines()).toEqual([]);
    const both = { ...secrets, dhchapCtrlrKey: CONTROLLER_KEY };
    await csi.node.nodeStageVolume(staging({ publishContext: mutual, secrets: both }));
    expect(connectLines()[0]).toContain(`dhchap_ctrl_secret=${CONTROLLER_KEY}`);
  });

  it.each([
    ["a wrong key", { dhchapKey: dhchapKey(3) }, "FAILED_PRECONDITION", "the key is wrong"],
    ["what is no key", { dhchapKey: "secret" }, "INVALID_ARGUMENT", "dhchapKey"],
  ])("does not let in who has %s", async (_, given, code, message) => {
    const end = await ends(csi.node.nodeStageVolume(staging({ publishContext, secrets: given })));
    expect(end).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("has its own key called as the Secret calls it", async () => {
    const mutual = { ...PUBLISHED, dhchap: "mutual" };
    const call = csi.node.nodeStageVolume(
      staging({ publishContext: mutual, secrets: { ...secrets, dhchapCtrlrKey: "no key" } }),
    );
    expect(await ends(call)).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("dhchapCtrlrKey"),
    });
  });

  it("of a static volume that does not say so gets what keys there are, and is told apart where there are none", async () => {
    const { blankProof: _, ...volumeContext } = PUBLISHED;
    expect(await ends(csi.node.nodeStageVolume(staging({ publishContext: {}, volumeContext })))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining(STAGE_SECRET),
    });
    await csi.node.nodeStageVolume(staging({ publishContext: {}, volumeContext, secrets }));
  });

  it("that asks for no keys gets none: one Secret may serve many targets", async () => {
    target.dhchapKey = undefined;
    await csi.node.nodeStageVolume(staging({ secrets }));
    expect(connectLines()[0]).not.toContain("dhchap");
  });
});

describe("an encrypted volume", () => {
  const secrets = { encryptionPassphrase: PASSPHRASE };

  it("holds a LUKS2 container with the filesystem inside, and is opened again by its passphrase", async () => {
    await csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets }));
    expect(target.content).toMatchObject({ kind: "luks", inside: { kind: "filesystem", type: "ext4" } });
    await csi.node.nodeUnstageVolume({ volumeId: VOLUME, stagingTargetPath: STAGING });
    expect(await controllers()).toEqual([]);
    await csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets }));
    expect(host.runsOf("mkfs.ext4")).toHaveLength(1);
  });

  it("is never staged without a passphrase, and never in the clear", async () => {
    for (const given of [{}, { encryptionPassphrase: "" }]) {
      expect(await ends(csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets: given })))).toMatchObject({
        code: "FAILED_PRECONDITION",
        message: expect.stringMatching(new RegExp(`encryptionPassphrase.*${STAGE_SECRET}`)),
      });
    }
    expect(target.content).toEqual({ kind: "blank" });
    expect(await controllers()).toEqual([]);
  });

  it("is not opened by a wrong one", async () => {
    await csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets }));
    await csi.node.nodeUnstageVolume({ volumeId: VOLUME, stagingTargetPath: STAGING });
    const wrong = { encryptionPassphrase: "another passphrase" };
    expect(await ends(csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets: wrong })))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("does not open"),
    });
    // Kubelet sends no unstage after it.
    expect(await controllers()).toEqual([]);
    expect(await mounts(STAGING)).toBe(0);
    await csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets }));
  });

  it("whose volume_context has lost that it is one is refused", async () => {
    await csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets }));
    await csi.node.nodeUnstageVolume({ volumeId: VOLUME, stagingTargetPath: STAGING });
    expect(await ends(csi.node.nodeStageVolume(staging({ secrets })))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining('encryption "luks2"'),
    });
    expect(target.content).toMatchObject({ kind: "luks" });
  });

  it("that holds a filesystem in the clear stays as it is", async () => {
    target.content = { kind: "filesystem", type: "ext4", uuid: UUID };
    const call = csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets }));
    expect(await ends(call)).toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(target.content).toMatchObject({ kind: "filesystem" });
  });

  it("is encrypted by luks2 or not at all", async () => {
    for (const encryption of ["none", ""]) {
      await csi.node.nodeStageVolume(staging({ volumeContext: { encryption } }));
      expect(target.content).toMatchObject({ kind: "filesystem" });
    }
    const call = csi.node.nodeStageVolume(staging({ volumeContext: { encryption: "luks1" }, secrets }));
    expect(await ends(call)).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining('"luks1"') });
  });

  it.each([
    ["a filesystem", mounted()],
    ["a raw block device", rawBlock()],
  ])("grows in use as %s, without its passphrase", async (_, volumeCapability) => {
    await csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets, volumeCapability }));
    await csi.node.nodePublishVolume(publishing({ volumeContext: LUKS, volumeCapability }));
    const stats = async () =>
      (await csi.node.nodeGetVolumeStats({ volumeId: VOLUME, volumePath: POD })).usage[0]?.total;
    const before = (await stats()) ?? 0n;
    target.sizeBytes = 2n * GIB;
    const capacityRange = { requiredBytes: 2n * GIB };
    await csi.node.nodeExpandVolume({ volumeId: VOLUME, volumePath: POD, capacityRange });
    expect(await stats()).toBe(before + GIB);
  });
});

describe("pain 21: after a restart of the node kubelet skips NodeStage", () => {
  /** Stages and publishes, and starts the machine anew. */
  async function rebooted(request: Parameters<typeof staging>[0]): Promise<void> {
    await csi.node.nodeStageVolume(staging(request));
    const { secrets: _, ...published } = request ?? {};
    await csi.node.nodePublishVolume(publishing(published));
    host.reboot();
    expect([await mounts(STAGING), await mounts(POD), await controllers()]).toEqual([0, 0, []]);
    csi = await restarted();
  }

  it("publish stages again, and formats nothing", async () => {
    await rebooted({});
    const before = target.content;
    for (const _ of [1, 2]) await csi.node.nodePublishVolume(publishing());
    expect([await mounts(STAGING), await mounts(POD)]).toEqual([1, 1]);
    expect(target.content).toEqual(before);
    expect(host.runsOf("mkfs.ext4")).toHaveLength(1);
    await csi.node.nodeUnpublishVolume({ volumeId: VOLUME, targetPath: POD });
    await csi.node.nodeUnstageVolume({ volumeId: VOLUME, stagingTargetPath: STAGING });
    expect(await controllers()).toEqual([]);
  });

  it("a static volume is staged again from its volume_context", async () => {
    const { blankProof: _, ...volumeContext } = PUBLISHED;
    const request = { publishContext: {}, volumeContext };
    await rebooted(request);
    await csi.node.nodePublishVolume(publishing(request));
    expect(await mounts(POD)).toBe(1);
  });

  it("a raw block device is attached again", async () => {
    const volumeCapability = rawBlock();
    await rebooted({ volumeCapability });
    await csi.node.nodePublishVolume(publishing({ volumeCapability }));
    expect((await host.files.lstat(POD))?.kind).toBe("block");
  });

  it("a lost device is attached again, too", async () => {
    await csi.node.nodeStageVolume(staging());
    await host.run("tee", ["/sys/class/nvme/nvme0/delete_controller"], { input: "1" });
    await csi.node.nodePublishVolume(publishing());
    expect(await controllers()).toHaveLength(1);
    expect((await findMounts(host, { target: POD }))[0]?.source).toBe("/dev/nvme1n1");
  });

  it.each([
    ["an encrypted volume", { volumeContext: LUKS, secrets: { encryptionPassphrase: PASSPHRASE } }],
    [
      "one whose target authenticates",
      { publishContext: { ...PUBLISHED, dhchap: "host" }, secrets: { dhchapKey: HOST_KEY } },
    ],
  ])("%s needs the secret with the publish, which is said", async (_, request) => {
    if ("dhchapKey" in request.secrets) target.dhchapKey = request.secrets.dhchapKey;
    await rebooted(request);
    const before = connectLines().length;
    const { secrets, ...without } = request;
    expect(await ends(csi.node.nodePublishVolume(publishing(without)))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringMatching(new RegExp(`${Object.keys(secrets)[0]}.*${PUBLISH_SECRET}`)),
    });
    expect(connectLines()).toHaveLength(before);
    await csi.node.nodePublishVolume(publishing(request));
    expect(await mounts(POD)).toBe(1);
  });

  it("a publish of an encrypted volume whose stage never came to its end does not format it in the clear", async () => {
    host.inject("cryptsetup", { arg: "luksFormat", hang: true });
    const secrets = { encryptionPassphrase: PASSPHRASE };
    const abort = new AbortController();
    const stage = ends(csi.node.nodeStageVolume(staging({ volumeContext: LUKS, secrets }), { signal: abort.signal }));
    while (!host.runsOf("cryptsetup").some((args) => args.includes("luksFormat"))) await setTimeout(5);
    abort.abort();
    expect(await stage).toMatchObject({ code: "CANCELLED" });
    host.reboot();
    csi = await restarted();
    expect(await ends(csi.node.nodePublishVolume(publishing({ volumeContext: LUKS })))).toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining(PUBLISH_SECRET),
    });
    expect(target.content).toEqual({ kind: "blank" });
  });

  it("a volume that was never staged here is not published", async () => {
    expect(await ends(csi.node.nodePublishVolume(publishing()))).toMatchObject({ code: "NOT_FOUND" });
    expect(await controllers()).toEqual([]);
  });
});
