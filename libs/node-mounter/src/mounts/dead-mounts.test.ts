import { beforeEach, describe, expect, it } from "vitest";
import { addNvmeVolume, connectionTo, UUID } from "../../test/nvme-volume.ts";
import { nvmeConnector } from "../nvme/nvme-connector.ts";
import { type FakeHost, type FakeNvmeTarget, fakeHost } from "../testing.ts";
import { diagnoseMount } from "./diagnose-mount.ts";
import { ensureBindMounted } from "./ensure-bind-mounted.ts";
import { ensureMounted } from "./ensure-mounted.ts";
import { findMounts } from "./mount-table.ts";
import { removeMount } from "./remove-mount.ts";

let host: FakeHost;
let target: FakeNvmeTarget;
let device: string;
beforeEach(async () => {
  host = fakeHost();
  target = addNvmeVolume(host, UUID);
  target.content = { kind: "filesystem", type: "ext4", uuid: UUID };
  ({ device } = await nvmeConnector(host).attach(connectionTo(UUID)));
  await ensureMounted(host, { source: device, target: "/staging", fsType: "ext4" });
  await ensureBindMounted(host, { source: "/staging", target: "/pod", kind: "directory", readonly: false });
});

const code = async (path: string) => (await diagnoseMount(host, path, { timeoutMs: 20 }))?.code;

describe("a mount whose device is gone (pain 6)", () => {
  it("is told from one that is well", async () => {
    expect(await code("/staging")).toBeUndefined();
    target.exported = false;
    expect(await code("/staging")).toBe("DEVICE_GONE");
    expect(await code("/pod")).toBe("DEVICE_GONE");
  });

  it("is replaced by the next mount, and so are its bind mounts", async () => {
    const other = host.addDevice("/dev/other", 1024n ** 3n, { kind: "filesystem", type: "ext4", uuid: UUID });
    target.exported = false;
    await ensureMounted(host, { source: other.path, target: "/staging", fsType: "ext4" });
    await ensureBindMounted(host, { source: "/staging", target: "/pod", kind: "directory", readonly: false });
    expect(await code("/staging")).toBeUndefined();
    expect(await code("/pod")).toBeUndefined();
    expect(await findMounts(host, { target: "/pod" })).toHaveLength(1);
  });

  it("is removed without a look at what it shows (pain 22)", async () => {
    target.exported = false;
    host.inject("stat", { hang: true });
    await removeMount(host, "/pod");
    await removeMount(host, "/staging");
    expect(await findMounts(host, { target: "/staging" })).toEqual([]);
  });
});

describe("a mount that does not answer as it should", () => {
  it.each([
    ["Transport endpoint is not connected", "CORRUPTED"],
    ["Stale file handle", "CORRUPTED"],
    ["Input/output error", "CORRUPTED"],
    ["Host is down", "CORRUPTED"],
    ["No such device", "CORRUPTED"],
    ["Permission denied", "CORRUPTED"],
  ])("%s is %s", async (text, expected) => {
    host.inject("stat", { exitCode: 1, stderr: `stat: cannot statx '/staging': ${text}` });
    expect(await code("/staging")).toBe(expected);
  });

  it("in time is told after that time", async () => {
    host.inject("stat", { hang: true });
    expect(await code("/staging")).toBe("NOT_ANSWERING");
  });

  it("where nothing is mounted is told", async () => {
    expect(await code("/nowhere")).toBe("NOT_MOUNTED");
  });
});

describe("a mount that is in use", () => {
  it("stays, unless it is asked to be detached", async () => {
    host.inject("umount", { exitCode: 32, stderr: "umount: /pod: target is busy." });
    await expect(removeMount(host, "/pod")).rejects.toMatchObject({ code: "COMMAND_FAILED" });
    host.inject("umount", { exitCode: 32, stderr: "umount: /pod: target is busy." });
    await removeMount(host, "/pod", { whenBusy: "detach" });
    expect(host.runsOf("umount").at(-1)).toContain("-l");
  });
});

describe("options that hold a secret", () => {
  const sensitiveOptions = ["password=swordfish"];
  const mount = () => ensureMounted(host, { source: "/dev/b", target: "/b", fsType: "ext4", sensitiveOptions });
  const argv = () => JSON.stringify(host.events.filter(({ kind }) => kind === "run"));

  it("are in no argument list, and in a file only while mount runs", async () => {
    host.addDevice("/dev/b", 1024n ** 3n, { kind: "filesystem", type: "ext4", uuid: UUID });
    await mount();
    expect(argv()).not.toContain("swordfish");
    expect(await host.files.list("/run")).toEqual([]);
    const written = host.events.flatMap((event) => (event.kind === "write" ? [event.text] : []));
    expect(written).toEqual(["/dev/b /b ext4 password=swordfish 0 0\n"]);
  });

  it("are masked in what mount complains of", async () => {
    host.addDevice("/dev/b", 1024n ** 3n, { kind: "filesystem", type: "ext4", uuid: UUID });
    host.inject("mount", { exitCode: 32, stderr: "bad option password=swordfish", times: 1 });
    const error: unknown = await mount().catch((caught: unknown) => caught);
    expect(String(error)).toContain("password=***");
    expect(String(error)).not.toContain("swordfish");
    expect(await host.files.list("/run")).toEqual([]);
  });
});

it("a long mount table that changes between two reads is read again", async () => {
  const options = ["a".repeat(5000)];
  await ensureBindMounted(host, { source: "/staging", target: "/long", kind: "directory", readonly: false, options });
  const { readText } = host.files;
  let reads = 0;
  Object.assign(host.files, {
    async readText(path: string) {
      const text = await readText(path);
      if (path !== "/proc/self/mountinfo" || ++reads > 3) return text;
      // Each of the first reads lacks another mount.
      return text?.split("\n").toSpliced(reads, 1).join("\n");
    },
  });
  expect(await findMounts(host, { target: "/staging" })).toHaveLength(1);
  expect(reads).toBe(5);
});
