import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

import { beforeEach, describe, expect, it } from "vitest";

import { addNvmeVolume, connectionTo, GIB, OTHER_UUID, UUID } from "../../test/nvme-volume.ts";
import { refusalOf } from "../../test/refusal.ts";
import type { Connector } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import { ensureMounted } from "../mounts/ensure-mounted.ts";
import { type FakeHost, type FakeNvmeTarget, fakeHost } from "../testing.ts";
import type { NvmeConnection } from "./nvme-connection.ts";
import { nvmeConnector } from "./nvme-connector.ts";

const CONNECTION = connectionTo(UUID);
const NQN = CONNECTION.nqn;
const TWO_PORTALS: NvmeConnection = {
  ...CONNECTION,
  portals: [...CONNECTION.portals, { address: "fd00::2", port: 4421 }],
};

let host: FakeHost;
let target: FakeNvmeTarget;
let connector: Connector<NvmeConnection>;
beforeEach(() => {
  host = fakeHost();
  target = addNvmeVolume(host, UUID, ["fd00::2:4421"]);
  connector = nvmeConnector(host, { settleMs: 40, pathGraceMs: 40 });
});

function dhchapKey(): string {
  const key = randomBytes(32);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(key));
  return `DHHC-1:01:${Buffer.concat([key, crc]).toString("base64")}:`;
}

const defect = (call: Promise<unknown>) => refusalOf(ConnectorError, call);
const state = async () => (await connector.diagnose(CONNECTION))?.code ?? "HEALTHY";
const connects = () => host.runsOf("tee").filter(([path]) => path === "/dev/nvme-fabrics").length;
const controllers = async () => (await host.files.list("/sys/class/nvme")) ?? [];

describe("attaching", () => {
  it("gives the device, and gives it again without connecting", async () => {
    expect(await connector.attach(CONNECTION)).toEqual({ device: "/dev/nvme0n1" });
    expect(await connector.attach(CONNECTION)).toEqual({ device: "/dev/nvme0n1" });
    expect(connects()).toBe(1);
    expect(await connector.find(CONNECTION)).toEqual({ device: "/dev/nvme0n1" });
    expect(await state()).toBe("HEALTHY");
  });

  it("twice at once connects once", async () => {
    await Promise.all([connector.attach(CONNECTION), connector.attach(CONNECTION)]);
    expect(connects()).toBe(1);
  });

  it("connects every portal where the kernel has native multipath", async () => {
    await connector.attach(TWO_PORTALS);
    expect(await controllers()).toHaveLength(2);
    expect(await connector.diagnose(TWO_PORTALS)).toBeUndefined();
  });

  it("connects the first portal that answers where it has not (pain 9)", async () => {
    host.nvmeMultipath = false;
    target.portals = ["fd00::2:4421"];
    expect(await connector.attach(TWO_PORTALS)).toEqual({ device: "/dev/nvme0n1" });
    expect(await controllers()).toEqual(["nvme0"]);
    expect(await connector.diagnose(TWO_PORTALS)).toBeUndefined();
  });

  it("does with one of two portals, says so, and gets the other one later", async () => {
    target.portals = ["192.0.2.1:4420"];
    expect(await connector.attach(TWO_PORTALS)).toEqual({ device: "/dev/nvme0n1" });
    expect(await connector.diagnose(TWO_PORTALS)).toMatchObject({ code: "PATH_LOST" });
    target.portals = ["192.0.2.1:4420", "fd00::2:4421"];
    await connector.attach(TWO_PORTALS);
    expect(await connector.diagnose(TWO_PORTALS)).toBeUndefined();
  });

  it("asks nothing of modules that are built in: the kernel's device is there (pain 9)", async () => {
    await connector.attach(CONNECTION);
    expect(host.runsOf("modprobe")).toHaveLength(0);
  });

  it("names the command to run when the kernel's device cannot be had", async () => {
    await host.files.unlink("/dev/nvme-fabrics");
    const { code, message } = await defect(connector.attach(CONNECTION));
    expect(code).toBe("UNSUPPORTED");
    expect(message).toContain('run "modprobe nvme-tcp" on the host');
  });

  it.each([
    ["a comma in an NQN", { nqn: `${NQN},nr_io_queues=1` }],
    ["a newline in an address", { portals: [{ address: "192.0.2.1\n", port: 4420 }] }],
    ["no portal", { portals: [] }],
    ["a port that is none", { portals: [{ address: "192.0.2.1", port: 0 }] }],
    ["a host id that is no uuid", { hostId: "node" }],
  ])("refuses %s before anything is done", async (_what, own) => {
    expect((await defect(connector.attach({ ...CONNECTION, ...own }))).code).toBe("INVALID");
    expect(host.events).toHaveLength(0);
  });

  it("gives the kernel what the connection says of queues and patience", async () => {
    const own = { ioQueues: 2, controllerLossTimeoutSeconds: -1, fastIoFailTimeoutSeconds: 5, keepAliveSeconds: 3 };
    await connector.attach({ ...CONNECTION, ...own });
    const [written] = host.events.flatMap((event) =>
      event.kind === "run" && event.args[0] === "/dev/nvme-fabrics" ? [event.input] : [],
    );
    expect(written).toBe(
      `transport=tcp,traddr=192.0.2.1,trsvcid=4420,nqn=${NQN},hostnqn=${CONNECTION.hostNqn},hostid=${CONNECTION.hostId},` +
        "nr_io_queues=2,reconnect_delay=2,ctrl_loss_tmo=-1,fast_io_fail_tmo=5,keep_alive_tmo=3",
    );
  });
});

describe("pain 2: no device in time, told by the step that failed", () => {
  it("nobody answers", async () => {
    target.up = false;
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({
      code: "UNREACHABLE",
      message: `connecting to ${NQN} at 192.0.2.1:4420 by NVMe/TCP: nothing listens there: see whether the target runs (ECONNREFUSED)`,
    });
  });

  it("the kernel gets no answer at all", async () => {
    host.inject("tee", { hang: true });
    expect((await defect(connector.attach(CONNECTION, { timeoutMs: 30 }))).code).toBe("UNREACHABLE");
  });

  it("the host is not let in", async () => {
    target.hosts = [];
    expect((await defect(connector.attach(CONNECTION))).code).toBe("REFUSED");
  });

  it("the subsystem shows no namespace", async () => {
    target.exported = false;
    expect((await defect(connector.attach(CONNECTION))).code).toBe("NO_DEVICE");
    // Nobody would ever end it.
    expect(await state()).toBe("NOT_CONNECTED");
  });

  it("of several failures the one that tells most is told", async () => {
    target.portals = ["fd00::2:4421"];
    target.hosts = [];
    expect((await defect(connector.attach(TWO_PORTALS))).code).toBe("REFUSED");
  });
});

describe("pain 5: connected, and yet no device", () => {
  it("a namespace that appears meanwhile is waited for", async () => {
    target.exported = false;
    const attach = connector.attach(CONNECTION);
    setTimeout(() => {
      target.exported = true;
    }, 20);
    expect(await attach).toEqual({ device: "/dev/nvme0n1" });
    expect(connects()).toBe(1);
  });

  it("a session without a namespace is made anew when nobody uses it", async () => {
    await connector.attach(CONNECTION);
    target.exported = false;
    host.inject("tee", { exitCode: 0, arg: "/sys/class/nvme/nvme0/rescan_controller", times: 9 });
    expect((await defect(connector.attach(CONNECTION))).code).toBe("NO_DEVICE");
    expect(connects()).toBe(2);
    target.exported = true;
    expect(await connector.attach(CONNECTION)).toEqual({ device: "/dev/nvme2n1" });
  });

  it("a session that is lost is made anew when nobody uses it, so that the true reason is told", async () => {
    await connector.attach(CONNECTION);
    target.up = false;
    expect(await state()).toBe("CONNECTING");
    expect((await defect(connector.attach(CONNECTION))).code).toBe("UNREACHABLE");
  });

  it("a session that is lost and in use is never ended: it may come back with its I/O", async () => {
    target.content = { kind: "filesystem", type: "ext4", uuid: OTHER_UUID };
    const { device } = await connector.attach(CONNECTION);
    await ensureMounted(host, { source: device, target: "/staging", fsType: "ext4" });
    target.up = false;
    expect((await defect(connector.attach(CONNECTION))).code).toBe("CONNECTING");
    expect(connects()).toBe(1);
    expect(await connector.find(CONNECTION)).toEqual({ device });
    target.up = true;
    expect(await connector.attach(CONNECTION)).toEqual({ device });
  });
});

it("pain 4: a session outlasts its target's restart, and nothing has to be connected again", async () => {
  target.content = { kind: "filesystem", type: "ext4", uuid: OTHER_UUID };
  const { device } = await connector.attach(CONNECTION);
  await ensureMounted(host, { source: device, target: "/staging", fsType: "ext4" });
  target.up = false;
  expect(await state()).toBe("CONNECTING");
  target.up = true;
  expect(await state()).toBe("HEALTHY");
  expect(await connector.attach(CONNECTION)).toEqual({ device });
  expect(connects()).toBe(1);
});

describe("the device's identity", () => {
  it("with another uuid is refused, also where the namespace's number is right", async () => {
    target.uuid = OTHER_UUID;
    expect((await defect(connector.attach({ ...CONNECTION, nsid: 1 }))).code).toBe("WRONG_DEVICE");
    expect((await defect(connector.attach(CONNECTION))).code).toBe("NO_DEVICE");
    expect(await controllers()).toEqual([]);
    await connector.attach({ ...CONNECTION, uuid: OTHER_UUID });
    expect((await defect(connector.find({ ...CONNECTION, nsid: 1 }))).code).toBe("WRONG_DEVICE");
    expect((await defect(connector.attach({ ...CONNECTION, nsid: 1 }))).code).toBe("WRONG_DEVICE");
    // It was there before that call, and is somebody's.
    expect(await controllers()).toHaveLength(1);
  });

  describe("of before a move", () => {
    const [BEFORE, SINCE] = [`${"0".repeat(31)}1`, `${"0".repeat(31)}A`];
    let device: string;
    beforeEach(async () => {
      target.nguid = BEFORE;
      ({ device } = await connector.attach(CONNECTION));
      // The session is admitted again, and shows what it had.
      target.nguid = SINCE;
    });

    it("is not the volume's, but for who does not know better", async () => {
      expect(await connector.find(CONNECTION)).toEqual({ device });
      expect(await connector.find({ ...CONNECTION, nguid: BEFORE })).toEqual({ device });
      expect(await connector.find({ ...CONNECTION, nguid: SINCE })).toBeUndefined();
      const defects = await connector.diagnose({ ...CONNECTION, nguid: SINCE });
      expect(defects).toMatchObject({
        code: "NO_DEVICE",
        message: expect.stringContaining("before the volume was moved"),
      });
    });

    it("gives way to the volume's by a rescan, without a new session", async () => {
      const moved = await connector.attach({ ...CONNECTION, nguid: SINCE });
      expect(moved.device).not.toBe(device);
      expect(connects()).toBe(1);
    });

    it("is left alone as long as somebody uses it", async () => {
      target.content = { kind: "filesystem", type: "ext4", uuid: OTHER_UUID };
      await ensureMounted(host, { source: device, target: "/staging", fsType: "ext4" });
      target.nguid = BEFORE;
      expect((await defect(connector.attach({ ...CONNECTION, nguid: SINCE }))).code).toBe("NO_DEVICE");
      expect(await connector.find(CONNECTION)).toEqual({ device });
    });
  });

  it("that is given wrong is refused", async () => {
    expect((await defect(connector.attach({ ...CONNECTION, nguid: "1,x" }))).code).toBe("INVALID");
  });

  it("of two devices is refused: either could be stale", async () => {
    await connector.attach(TWO_PORTALS);
    host.nvmeMultipath = false;
    expect((await defect(connector.attach(TWO_PORTALS))).code).toBe("AMBIGUOUS");
    expect((await defect(connector.find(TWO_PORTALS))).code).toBe("AMBIGUOUS");
  });

  it("is looked for among this host's own sessions, where another host NQN has one too", async () => {
    host.nvmeMultipath = false;
    const other = { ...CONNECTION, hostNqn: `${CONNECTION.hostNqn}b` };
    expect(await connector.attach(CONNECTION)).toEqual({ device: "/dev/nvme0n1" });
    expect(await connector.attach(other)).toEqual({ device: "/dev/nvme1n1" });
  });
});

describe("authentication", () => {
  it("with the right key attaches, and the key is in no argument list", async () => {
    target.dhchapKey = dhchapKey();
    await connector.attach(CONNECTION, { secrets: { dhchapKey: target.dhchapKey } });
    const argv = host.events.flatMap((event) =>
      event.kind === "run" ? [[event.command, ...event.args].join(" ")] : [],
    );
    expect(argv.join("\n")).not.toContain("DHHC");
  });

  it("without a key, and with a wrong one, is refused with what to do", async () => {
    target.dhchapKey = dhchapKey();
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({
      code: "AUTHENTICATION_FAILED",
      message: expect.stringContaining("dhchapKey"),
    });
    const wrong = dhchapKey();
    const { code, message } = await defect(connector.attach(CONNECTION, { secrets: { dhchapKey: wrong } }));
    expect(code).toBe("AUTHENTICATION_FAILED");
    expect(message).not.toContain(wrong);
  });

  it.each([
    ["not a key", "swordfish"],
    ["a key with a wrong checksum", "DHHC-1:01:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:"],
  ])("%s is refused before anything is done, and not repeated in the error", async (_what, key) => {
    const { code, message } = await defect(connector.attach(CONNECTION, { secrets: { dhchapKey: key } }));
    expect(code).toBe("INVALID");
    expect(message).not.toContain(key);
    expect(host.events).toHaveLength(0);
  });

  it("by TLS without its key does not fall back to plain text", async () => {
    expect((await defect(connector.attach({ ...CONNECTION, tls: true }))).code).toBe("AUTHENTICATION_FAILED");
    expect(connects()).toBe(0);
  });
});

describe("detaching", () => {
  it("ends every path, and is fine when there is none", async () => {
    await connector.attach(TWO_PORTALS);
    await connector.detach(TWO_PORTALS);
    await connector.detach(TWO_PORTALS);
    expect(await controllers()).toEqual([]);
    expect(await connector.find(TWO_PORTALS)).toBeUndefined();
  });

  it("of a volume that is mounted is refused, and says where", async () => {
    target.content = { kind: "filesystem", type: "ext4", uuid: OTHER_UUID };
    const { device } = await connector.attach(CONNECTION);
    await ensureMounted(host, { source: device, target: "/staging", fsType: "ext4" });
    const { code, message } = await defect(connector.detach(CONNECTION));
    expect(code).toBe("IN_USE");
    expect(message).toContain("/staging");
    expect(await controllers()).toHaveLength(1);
  });

  it("needs no living target", async () => {
    await connector.attach(CONNECTION);
    target.up = false;
    await connector.detach(CONNECTION);
    expect(await controllers()).toEqual([]);
  });

  it("pain 3: that hangs in the kernel is answered in time, and the next call waits for its child", async () => {
    await connector.attach(CONNECTION);
    host.inject("tee", { hang: true });
    expect((await defect(connector.detach(CONNECTION, { timeoutMs: 20 }))).code).toBe("TIMEOUT");
    await connector.detach(CONNECTION);
    expect(await controllers()).toEqual([]);
  });

  it("pain 8: leaves controllers of other host NQNs alone", async () => {
    await connector.attach(CONNECTION);
    await connector.detach({ ...CONNECTION, hostNqn: `${CONNECTION.hostNqn}b` });
    expect(await controllers()).toHaveLength(1);
  });
});

describe("a device that is used without being mounted here", () => {
  it.each([
    ["a holder of the device", "/sys/class/block/nvme0n1/holders/dm-0/dev"],
    ["a holder of a partition", "/sys/class/block/nvme0n1p1/holders/dm-0/dev"],
    ["an ext4 that is mounted elsewhere or written back", "/sys/fs/ext4/nvme0n1/session_write_kbytes"],
    ["an xfs on a partition", "/sys/fs/xfs/nvme0n1p1/stats/stats"],
    ["a btrfs", "/sys/fs/btrfs/6211b48b-bd77-4bc8-ad3f-de3728351d09/devices/nvme0n1/size"],
  ])("by %s is not let go", async (_what, path) => {
    await connector.attach(CONNECTION);
    host.addFile("/sys/class/block/nvme0n1/nvme0n1p1/partition", "1");
    host.addFile(path, "");
    expect((await defect(connector.detach(CONNECTION))).code).toBe("IN_USE");
    expect(await controllers()).toHaveLength(1);
  });
});

it("a dead portal does not hold up a volume that has another path already", async () => {
  await connector.attach(CONNECTION);
  host.inject("tee", { hang: true });
  // Far longer than this test may take.
  const attached = await connector.attach(TWO_PORTALS, { timeoutMs: 300_000 });
  expect(attached).toEqual({ device: "/dev/nvme0n1" });
  expect(await connector.diagnose(TWO_PORTALS)).toMatchObject({ code: "PATH_LOST" });
});

describe("pain 7: one session, several calls", () => {
  it("attach and detach of one volume at once leave one of their two outcomes", async () => {
    await connector.attach(CONNECTION);
    const [, attached] = await Promise.all([connector.detach(CONNECTION), connector.attach(CONNECTION)]);
    expect(attached.device).toBe("/dev/nvme1n1");
    expect(await state()).toBe("HEALTHY");
  });

  it("a volume that hangs does not hold up another", async () => {
    const uuid = OTHER_UUID;
    const nqn = `nqn.2020-04.io.spdk.csi:uuid:${uuid}`;
    host.addNvmeTarget({ nqn, uuid, portals: ["192.0.2.9:4420"], sizeBytes: GIB });
    host.inject("tee", { hang: true });
    const slow = connector.attach(CONNECTION, { timeoutMs: 200 }).catch(() => "slow");
    const other = { ...CONNECTION, nqn, uuid, portals: [{ address: "192.0.2.9", port: 4420 }] };
    expect(await Promise.race([connector.attach(other), slow])).toEqual({ device: "/dev/nvme0n1" });
    await slow;
  });
});

it("a new size is seen after a rescan", async () => {
  await connector.attach(CONNECTION);
  target.sizeBytes = 2n * GIB;
  expect(host.device("/dev/nvme0n1")?.sizeBytes).toBe(GIB);
  await connector.resize(CONNECTION);
  expect(host.device("/dev/nvme0n1")?.sizeBytes).toBe(2n * GIB);
});

it("pain 10: no command of nvme-cli is run", async () => {
  await connector.attach(TWO_PORTALS);
  await connector.detach(TWO_PORTALS);
  expect(host.runsOf("nvme")).toHaveLength(0);
});
