import { beforeEach, describe, expect, it } from "vitest";
import { refusalOf } from "../../test/refusal.ts";
import { openVolumeRecords, type VolumeRecords } from "../records/volume-records.ts";
import { type FakeContent, type FakeHost, fakeHost } from "../testing.ts";
import { ensureFilesystem } from "./ensure-filesystem.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { FilesystemRequest } from "./format-call.ts";

const DEVICE = "/dev/nvme0n1";
const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
const GIB = 1024n ** 3n;

let host: FakeHost;
let records: VolumeRecords;
beforeEach(async () => {
  host = fakeHost();
  host.addDevice(DEVICE, GIB);
  records = await openVolumeRecords(host, "/state");
});

function ensure(own: Partial<FilesystemRequest> = {}, options = {}) {
  const request = { device: DEVICE, volumeId: "v", fsType: "ext4" as const, mayFormat: true, ...own };
  return ensureFilesystem(host, records, request, options);
}

const refusal = async (call: Promise<unknown>) => (await refusalOf(FilesystemError, call)).code;

const holds = (content: FakeContent): void => {
  const device = host.device(DEVICE);
  if (device !== undefined) device.content = content;
};
const formats = (): number => host.runsOf("mkfs.ext4").length + host.runsOf("mkfs.xfs").length;
const PROOF = { blankProof: { id: "proof-1" } };

describe("a device that holds something", () => {
  it("with the filesystem asked for is used as it is", async () => {
    holds({ kind: "filesystem", type: "ext4", uuid: UUID });
    expect(await ensure(PROOF)).toMatchObject({ type: "ext4", uuid: UUID, formatted: false, needsCheck: false });
    expect(formats()).toBe(0);
  });

  const contents: [string, FakeContent, string][] = [
    ["another filesystem", { kind: "filesystem", type: "xfs", uuid: UUID }, "WRONG_TYPE"],
    ["a filesystem nobody mounts here", { kind: "filesystem", type: "btrfs", uuid: UUID }, "WRONG_TYPE"],
    ["LVM", { kind: "signature", type: "LVM2_member", usage: "raid" }, "NOT_BLANK"],
    ["LUKS", { kind: "signature", type: "crypto_LUKS", usage: "crypto" }, "NOT_BLANK"],
    ["a partition table", { kind: "partitions", type: "gpt" }, "NOT_BLANK"],
    ["data without a signature", { kind: "data", offsets: [GIB / 2n] }, "NOT_BLANK"],
    ["only a backup superblock", { kind: "backup-superblock", type: "ext4" }, "NOT_BLANK"],
  ];
  it.each(contents)("with %s is never formatted", async (_what, content, code) => {
    holds(content);
    expect(await refusal(ensure())).toBe(code);
    expect(formats()).toBe(0);
  });

  it("is not formatted although a proof says that it is blank, where a probe sees otherwise", async () => {
    holds({ kind: "backup-superblock", type: "ext4" });
    expect(await refusal(ensure(PROOF))).toBe("NOT_BLANK");
    expect(formats()).toBe(0);
  });

  it("is not formatted when it cannot be read or probed", async () => {
    for (const exitCode of [1, 4, 8, 127]) {
      host.inject("blkid", { exitCode });
      // 8 is blkid's "several signatures": something is there.
      expect(await refusal(ensure(PROOF))).toBe(exitCode === 8 ? "NOT_BLANK" : "PROBE_FAILED");
    }
    const device = host.device(DEVICE);
    if (device !== undefined) device.broken = true;
    expect(await refusal(ensure(PROOF))).toBe("PROBE_FAILED");
    expect(formats()).toBe(0);
  });
});

it("what wipefs alone sees is not formatted, also not where an mkfs of ours was interrupted", async () => {
  await records.update("v", { state: "formatting", fsType: "ext4", filesystemUuid: UUID });
  holds({ kind: "signature", type: "LVM2_member", usage: "raid" });
  host.inject("blkid", { exitCode: 2, times: 4 });
  expect(await refusal(ensure())).toBe("NOT_BLANK");
  expect(formats()).toBe(0);
});

describe("a blank device", () => {
  it("is formatted with a proof, the record on disk first", async () => {
    const { uuid, formatted } = await ensure(PROOF);
    expect(formatted).toBe(true);
    const order = host.events.flatMap((event) => {
      if (event.kind === "write")
        return event.text.includes('"formatting"') && event.text.includes(uuid) ? ["record"] : [];
      return event.command === "mkfs.ext4" ? ["mkfs"] : [];
    });
    expect(order).toEqual(["record", "mkfs"]);
    expect(host.runsOf("mkfs.ext4")[0]).toContain(uuid);
    expect(await records.find("v")).toMatchObject({
      state: "formatted",
      filesystemUuid: uuid,
      usedProofs: ["proof-1"],
    });
  });

  it("is formatted without a proof only after all of it was read", async () => {
    expect(await ensure()).toMatchObject({ formatted: true });
  });

  it("is not read whole where that is turned off", async () => {
    expect(await refusal(ensure({}, { mayReadWhole: false }))).toBe("NO_PROOF");
    expect(formats()).toBe(0);
  });

  it("of a clone or restore is never formatted", async () => {
    expect(await refusal(ensure({ ...PROOF, mayFormat: false }))).toBe("MUST_NOT_FORMAT");
    expect(formats()).toBe(0);
  });

  it("of a volume once formatted is never formatted again, whatever the proof", async () => {
    await ensure(PROOF);
    holds({ kind: "blank" });
    expect(await refusal(ensure({ blankProof: { id: "proof-2" } }))).toBe("FORMATTED_BEFORE");
    expect(formats()).toBe(1);
  });

  it("of a volume once seen with a filesystem is never formatted", async () => {
    holds({ kind: "filesystem", type: "ext4", uuid: UUID });
    await ensure();
    holds({ kind: "blank" });
    expect(await refusal(ensure(PROOF))).toBe("FORMATTED_BEFORE");
  });

  it("needs a proof that has not served: a used one counts as none", async () => {
    await records.update("v", { usedProofs: ["proof-1"] });
    expect(await refusal(ensure(PROOF, { mayReadWhole: false }))).toBe("NO_PROOF");
    expect(formats()).toBe(0);
  });
});

describe("an mkfs that was interrupted", () => {
  it("is repeated with the uuid of the record", async () => {
    host.inject("mkfs.ext4", { exitCode: 1 });
    expect(await refusal(ensure(PROOF))).toBe("FORMAT_FAILED");
    const record = await records.find("v");
    expect(record).toMatchObject({ state: "formatting" });
    expect(await ensure()).toMatchObject({ formatted: true, uuid: record?.filesystemUuid });
  });

  it("as another type is not", async () => {
    host.inject("mkfs.ext4", { exitCode: 1 });
    await refusal(ensure(PROOF));
    expect(await refusal(ensure({ fsType: "xfs" }))).toBe("FORMATTED_BEFORE");
  });

  it("is not repeated over what came onto the device since", async () => {
    host.inject("mkfs.ext4", { exitCode: 1 });
    await refusal(ensure(PROOF));
    holds({ kind: "filesystem", type: "xfs", uuid: UUID });
    expect(await refusal(ensure())).toBe("WRONG_TYPE");
    expect(formats()).toBe(1);
  });
});

it("two calls for one volume format it once", async () => {
  const results = await Promise.allSettled([ensure(PROOF), ensure(PROOF)]);
  expect(results.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(0);
  expect(formats()).toBe(1);
});

it("xfs below 300 MiB is made with a warning and the flag that mkfs wants", async () => {
  host.addDevice("/dev/small", 256n * 1024n ** 2n);
  const warnings: string[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    error: () => {},
    warn: (message: string) => void warnings.push(message),
  };
  await ensure({ ...PROOF, device: "/dev/small", fsType: "xfs" }, { logger });
  expect(host.runsOf("mkfs.xfs").at(-1)).toContain("--unsupported");
  expect(warnings).toHaveLength(1);
});
