import { beforeEach, describe, expect, it } from "vitest";
import { refusalOf } from "../../test/refusal.ts";
import { type FakeHost, fakeHost } from "../testing.ts";
import { ensureBindMounted } from "./ensure-bind-mounted.ts";
import { ensureMounted } from "./ensure-mounted.ts";
import { MountError } from "./mount-error.ts";
import { parseMountInfo } from "./mount-info.ts";
import { findMounts, isMountPoint } from "./mount-table.ts";
import { removeMount } from "./remove-mount.ts";

const GIB = 1024n ** 3n;
const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";

let host: FakeHost;
beforeEach(() => {
  host = fakeHost();
  for (const name of ["a", "b"]) host.addDevice(`/dev/${name}`, GIB, { kind: "filesystem", type: "ext4", uuid: UUID });
});

const refusal = async (call: Promise<unknown>) => (await refusalOf(MountError, call)).code;

const mount = (source = "/dev/a", target = "/staging") =>
  ensureMounted(host, { source, target, fsType: "ext4", options: [] });
const bind = (own: object = {}) =>
  ensureBindMounted(host, {
    source: "/staging",
    target: "/pod",
    kind: "directory",
    readonly: false,
    options: [],
    ...own,
  });

it("mountinfo is read whole: escapes, propagation, bind roots, and what was deleted", () => {
  const text = [
    "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue",
    "37 35 0:5 / /dev\\134x rw - devtmpfs devtmpfs rw",
    "38 35 98:0 /gone\\011by//deleted /pod rw unbindable - ext3 /dev/root rw",
    "",
  ].join("\n");
  expect(parseMountInfo(text)).toMatchObject([
    { deviceNumber: "98:0", root: "/mnt1", target: "/mnt 2", fsType: "ext3", propagation: ["slave", "shared"] },
    { deviceNumber: "0:5", root: "/", target: "/dev\\x", fsType: "devtmpfs", propagation: [], isDeleted: false },
    { root: "/gone\tby", target: "/pod", propagation: ["unbindable"], isDeleted: true },
  ]);
  expect(() => parseMountInfo("36 35 98:0 /mnt1")).toThrow(SyntaxError);
});

describe("mounting", () => {
  it("twice is once", async () => {
    await mount();
    await mount();
    expect(host.runsOf("mount")).toHaveLength(1);
    expect(await findMounts(host, { target: "/staging" })).toHaveLength(1);
  });

  it("over another device's mount is refused", async () => {
    await mount();
    expect(await refusal(mount("/dev/b"))).toBe("TARGET_BUSY");
  });

  it("of what is no block device is refused", async () => {
    host.addFile("/plain");
    expect(await refusal(mount("/plain"))).toBe("NOT_A_DEVICE");
  });

  it("on a symlink is refused, wherever it leads", async () => {
    host.addFile("/etc/passwd");
    host.addSymlink("/staging", "/etc");
    expect(await refusal(mount())).toBe("SYMLINK");
  });
});

describe("binding", () => {
  beforeEach(() => mount());

  it("twice is once, and read-only means read-only", async () => {
    await bind({ readonly: true });
    const runs = host.runsOf("mount").length;
    await bind({ readonly: true });
    expect(host.runsOf("mount")).toHaveLength(runs);
    expect(await refusal(bind({ readonly: false }))).toBe("MISMATCH");
  });

  it("a device node gives a file to bind it on", async () => {
    await bind({ source: "/dev/a", target: "/pods/x/device", kind: "file" });
    expect(await isMountPoint(host, "/pods/x/device")).toBe(true);
  });

  it("from nowhere is refused", async () => {
    expect(await refusal(bind({ source: "/nowhere" }))).toBe("SOURCE_MISSING");
  });
});

describe("removing a mount", () => {
  it("that is not there is fine", async () => {
    await removeMount(host, "/nowhere");
  });

  it("pain 24: takes every mount that is stacked on the path, and the empty directory", async () => {
    await mount();
    await bind();
    await removeMount(host, "/pod");
    expect(await host.files.lstat("/pod")).toBeUndefined();
    await removeMount(host, "/staging");
    expect(await host.files.lstat("/staging")).toBeUndefined();
    expect(await findMounts(host, { device: "/dev/a" })).toEqual([]);
  });

  it("pain 24: never takes files that somebody left below it", async () => {
    await mount();
    await removeMount(host, "/staging");
    host.addFile("/staging/precious");
    expect(await refusal(removeMount(host, "/staging"))).toBe("NOT_EMPTY");
    expect(await host.files.readText("/staging/precious")).toBe("");
  });

  it("leaves the directory when the unmount fails", async () => {
    await mount();
    host.inject("umount", { exitCode: 32, stderr: "target is busy" });
    expect(await refusal(removeMount(host, "/staging"))).toBe("COMMAND_FAILED");
    expect(await isMountPoint(host, "/staging")).toBe(true);
  });

  it("refuses a symlink", async () => {
    host.addFile("/data/precious");
    host.addSymlink("/pod", "/data");
    expect(await refusal(removeMount(host, "/pod"))).toBe("SYMLINK");
  });
});
