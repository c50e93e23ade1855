import { beforeEach, describe, expect, it } from "vitest";

import { refusalOf } from "../../test/refusal.ts";
import { ensureFilesystem } from "../filesystems/ensure-filesystem.ts";
import { FilesystemError } from "../filesystems/filesystem-error.ts";
import { ensureMounted } from "../mounts/ensure-mounted.ts";
import { removeMount } from "../mounts/remove-mount.ts";
import { openVolumeRecords, type VolumeRecords } from "../records/volume-records.ts";
import { type FakeContent, type FakeHost, fakeHost } from "../testing.ts";
import { closeEncrypted } from "./close-encrypted.ts";
import type { EncryptionRequest } from "./encryption-request.ts";
import { type EncryptedDevice, ensureEncrypted } from "./ensure-encrypted.ts";
import { resizeEncrypted } from "./resize-encrypted.ts";

const DEVICE = "/dev/nvme0n1";
const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
const MIB = 1024n ** 2n;
const GIB = 1024n ** 3n;
const KEY = "correct horse battery staple";
const PROOF = { blankProof: { id: "proof-1" } };

let host: FakeHost;
let records: VolumeRecords;
beforeEach(async () => {
  host = fakeHost();
  host.addDevice(DEVICE, GIB);
  records = await openVolumeRecords(host, "/state");
});

function encrypt(own: Partial<EncryptionRequest> = {}, options = {}): Promise<EncryptedDevice> {
  const request = { device: DEVICE, volumeId: "v", key: KEY, mayFormat: true, ...own };
  return ensureEncrypted(host, records, request, options);
}

function fill({ device, ciphertext }: EncryptedDevice, options = {}) {
  const request = { device, ciphertext, volumeId: "v", fsType: "ext4" as const, mayFormat: true, ...PROOF };
  return ensureFilesystem(host, records, request, options);
}

const refusal = (call: Promise<unknown>) => refusalOf(FilesystemError, call);

const code = async (call: Promise<unknown>): Promise<string> => (await refusal(call)).code;
const formats = (): number => host.runsOf("cryptsetup").filter(([action]) => action === "luksFormat").length;
const holds = (content: FakeContent): void => {
  const device = host.device(DEVICE);
  if (device !== undefined) device.content = content;
};
const detach = () => records.update("v", { connection: undefined });

describe("a container", () => {
  it("is made on a blank device, the record on disk first, and is open", async () => {
    const { device, uuid, formatted, ciphertext } = await encrypt(PROOF);
    expect(formatted).toBe(true);
    expect(ciphertext).toEqual({ device: DEVICE, startBytes: 16n * MIB, uuid });
    expect(await host.files.lstat(device)).toMatchObject({ kind: "block" });
    const order = host.events.flatMap((event) => {
      if (event.kind === "write")
        return event.text.includes('"formatting"') && event.text.includes(uuid) ? ["record"] : [];
      return event.command === "cryptsetup" ? [event.args[0]] : [];
    });
    expect(order).toEqual(["record", "luksFormat", "luksDump", "open"]);
    expect(await records.find("v")).toMatchObject({
      encryption: { uuid, state: "formatted", inside: "blank" },
      usedProofs: ["proof-1"],
    });
  });

  it("is opened once, also after a restart of the plugin", async () => {
    const { device } = await encrypt(PROOF);
    records = await openVolumeRecords(host, "/state");
    expect(await encrypt()).toMatchObject({ device, formatted: false });
    expect(host.runsOf("cryptsetup").filter(([action]) => action === "open")).toHaveLength(1);
  });

  it("is closed, twice too, and not while it is mounted", async () => {
    const encrypted = await encrypt(PROOF);
    await fill(encrypted);
    await ensureMounted(host, { source: encrypted.device, target: "/staging", fsType: "ext4" });
    expect(await code(closeEncrypted(host, "v"))).toBe("IN_USE");
    await removeMount(host, "/staging");
    await closeEncrypted(host, "v");
    await closeEncrypted(host, "v");
    expect(host.device(encrypted.device)).toBeUndefined();
    expect(await encrypt()).toMatchObject({ formatted: false });
  });

  it("grows with its device without the key", async () => {
    const { device } = await encrypt(PROOF);
    const below = host.device(DEVICE);
    if (below !== undefined) below.sizeBytes = 2n * GIB;
    await resizeEncrypted(host, "v");
    expect(host.device(device)?.sizeBytes).toBe(2n * GIB - 16n * MIB);
    expect(host.events.findLast((event) => event.kind === "run")).not.toHaveProperty("input");
    await closeEncrypted(host, "v");
    expect(await code(resizeEncrypted(host, "v"))).toBe("NOT_MOUNTED");
  });

  it("that is open on another device is refused while it is in use, else opened anew", async () => {
    const encrypted = await encrypt(PROOF);
    const { device } = encrypted;
    await fill(encrypted);
    await ensureMounted(host, { source: device, target: "/staging", fsType: "ext4" });
    const content = host.device(DEVICE)?.content ?? { kind: "blank" };
    host.addDevice("/dev/nvme1n1", GIB, content);
    expect(await code(encrypt({ device: "/dev/nvme1n1" }))).toBe("WRONG_MAPPING");
    await removeMount(host, "/staging");
    expect(await encrypt({ device: "/dev/nvme1n1" })).toMatchObject({ formatted: false });
    const below = await host.files.list(`/sys/dev/block/253:0/slaves`);
    expect(below).toEqual(["nvme1n1"]);
  });

  it("with another uuid than the one open is opened instead of it", async () => {
    await encrypt(PROOF);
    holds({ kind: "luks", uuid: UUID, key: KEY, inside: { kind: "blank" } });
    expect(await encrypt()).toMatchObject({ uuid: UUID, formatted: false });
    expect(host.runsOf("cryptsetup").map(([action]) => action)).toContain("close");
  });

  it("is not open after a reboot, and is opened again", async () => {
    await encrypt(PROOF);
    host.reboot();
    await encrypt();
    expect(host.runsOf("cryptsetup").filter(([action]) => action === "open")).toHaveLength(2);
  });
});

describe("the key", () => {
  it("that is wrong, or none, is told as such", async () => {
    await encrypt(PROOF);
    await closeEncrypted(host, "v");
    expect(await code(encrypt({ key: "wrong" }))).toBe("WRONG_KEY");
    expect(await code(encrypt({ key: "" }))).toBe("WRONG_KEY");
  });

  it("reaches stdin alone: no argument list, record, log or error", async () => {
    const said: unknown[] = [];
    const log = (...args: unknown[]): void => void said.push(args);
    await encrypt(PROOF, { logger: { info: log, warn: log } });
    await closeEncrypted(host, "v");
    const wrong = await refusal(encrypt({ key: `${KEY}!` }));
    host.inject("cryptsetup", { exitCode: 1, arg: "open" });
    const failed = await refusal(encrypt());
    const places = JSON.stringify([
      said,
      host.events.map((event) => (event.kind === "run" ? [event.command, event.args] : event.text)),
      [wrong, failed].map((error) => [error.message, error.stack]),
    ]);
    expect(places).not.toContain(KEY);
    expect(host.events.flatMap((event) => (event.kind === "run" && event.input === KEY ? event.args[0] : []))).toEqual([
      "luksFormat",
      "open",
      "open",
    ]);
  });
});

describe("a device that is not blank", () => {
  const contents: [string, FakeContent, string][] = [
    ["a filesystem", { kind: "filesystem", type: "ext4", uuid: UUID }, "WRONG_TYPE"],
    ["LVM", { kind: "signature", type: "LVM2_member", usage: "raid" }, "NOT_BLANK"],
    ["data without a signature", { kind: "data", offsets: [GIB / 2n] }, "NOT_BLANK"],
    ["only a backup superblock", { kind: "backup-superblock", type: "ext4" }, "NOT_BLANK"],
  ];
  it.each(contents)("but holds %s is never encrypted", async (_what, content, wanted) => {
    holds(content);
    expect(await code(encrypt())).toBe(wanted);
    expect(formats()).toBe(0);
  });

  it("but known as a plain filesystem or as a container is never encrypted anew", async () => {
    await encrypt(PROOF);
    await closeEncrypted(host, "v");
    holds({ kind: "blank" });
    expect(await code(encrypt({ blankProof: { id: "proof-2" } }))).toBe("FORMATTED_BEFORE");
    await records.update("v", { encryption: undefined, state: "formatted", fsType: "ext4", filesystemUuid: UUID });
    expect(await code(encrypt({ blankProof: { id: "proof-3" } }))).toBe("FORMATTED_BEFORE");
    expect(formats()).toBe(1);
  });

  it("because it is a copy is opened and never encrypted", async () => {
    expect(await code(encrypt({ mayFormat: false }))).toBe("MUST_NOT_FORMAT");
    holds({ kind: "luks", uuid: UUID, key: KEY, inside: { kind: "filesystem", type: "ext4", uuid: UUID } });
    const encrypted = await encrypt({ mayFormat: false });
    expect(await fill(encrypted)).toMatchObject({ uuid: UUID, formatted: false });
  });
});

describe("a luksFormat that was interrupted", () => {
  it("before its header is repeated with the uuid of the record", async () => {
    host.inject("cryptsetup", { exitCode: 137, effect: () => holds({ kind: "data", offsets: [40_000n] }) });
    expect(await code(encrypt(PROOF))).toBe("ENCRYPTION_FAILED");
    const uuid = (await records.find("v"))?.encryption?.uuid;
    expect(await encrypt()).toMatchObject({ uuid, formatted: true });
  });

  it("before its key is repeated: its own signature alone is erased", async () => {
    host.inject("cryptsetup", {
      exitCode: 137,
      effect() {
        const text = host.events.findLast((event) => event.kind === "write")?.text ?? "{}";
        const { encryption } = JSON.parse(text) as { encryption: { uuid: string } };
        holds({ kind: "luks", uuid: encryption.uuid, key: undefined, inside: { kind: "blank" } });
      },
    });
    expect(await code(encrypt(PROOF))).toBe("ENCRYPTION_FAILED");
    expect(await encrypt()).toMatchObject({ formatted: true });
    expect(host.runsOf("wipefs")).toContainEqual(["--all", "--types", "crypto_LUKS", DEVICE]);
  });

  it("is not repeated over somebody else's container or data", async () => {
    host.inject("cryptsetup", { exitCode: 137 });
    await refusal(encrypt(PROOF));
    holds({ kind: "luks", uuid: UUID, key: undefined, inside: { kind: "blank" } });
    expect(await code(encrypt())).toBe("WRONG_KEY");
    await records.update("v", { encryption: { uuid: UUID, state: "formatting" } });
    holds({ kind: "data", offsets: [GIB - 512n] });
    expect(await code(encrypt())).toBe("NOT_BLANK");
    expect(formats()).toBe(1);
  });
});

describe("the filesystem inside", () => {
  it("is made at once in a container that this node has just made", async () => {
    const encrypted = await encrypt(PROOF);
    expect(await fill(encrypted, { mayReadWhole: false })).toMatchObject({ formatted: true });
    expect((await records.find("v"))?.encryption).toEqual({ uuid: encrypted.uuid, state: "formatted" });
  });

  it("is made in another node's container only after all of what it encrypts reads as zeroes", async () => {
    const { uuid } = await encrypt(PROOF);
    await detach();
    const again = await encrypt();
    expect(again).toMatchObject({ uuid, formatted: false });
    expect(await code(fill(again, { mayReadWhole: false }))).toBe("NO_PROOF");
    expect(await fill(again)).toMatchObject({ formatted: true });
    const starts = host.runsOf("cmp").map((args) => args[args.indexOf("-i") + 1]);
    expect(starts.at(-1)).not.toMatch(/^0:/);
  });

  it("is not made where something was written into the container, whatever the record says", async () => {
    const encrypted = await encrypt(PROOF);
    const inside = host.device(encrypted.device);
    if (inside !== undefined) inside.content = { kind: "data", offsets: [4096n] };
    expect(await code(fill(encrypted))).toBe("NOT_BLANK");
    await detach();
    expect(await code(fill(encrypted))).toBe("NOT_BLANK");
    expect(host.runsOf("mkfs.ext4")).toHaveLength(0);
  });

  it("is never made again, and an interrupted mkfs of it is repeated", async () => {
    const encrypted = await encrypt(PROOF);
    host.inject("mkfs.ext4", { exitCode: 1 });
    expect(await code(fill(encrypted))).toBe("FORMAT_FAILED");
    expect(await fill(encrypted)).toMatchObject({ formatted: true });
    const inside = host.device(encrypted.device);
    if (inside !== undefined) inside.content = { kind: "blank" };
    expect(await code(fill(encrypted))).toBe("FORMATTED_BEFORE");
  });
});
