import { beforeEach, describe, expect, it } from "vitest";

import type { Connector } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import { ensureMounted } from "../mounts/ensure-mounted.ts";
import { removeMount } from "../mounts/remove-mount.ts";
import { type FakeHost, type FakeIscsiTarget, fakeHost } from "../testing.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import { iscsiConnector } from "./iscsi-connector.ts";
import { ifaceName } from "./iscsi-initiator.ts";

const GIB = 1024n ** 3n;
const IQN = "iqn.2016-06.io.spdk:vol1";
const NODE = "iqn.2020-04.io.spdk.csi:node:default:n1";
const CONNECTION: IscsiConnection = {
  iqn: IQN,
  portals: [{ address: "192.0.2.1", port: 3260 }],
  lun: 0,
  identity: { wwid: "naa.0" },
  initiatorName: NODE,
};
const SECOND: IscsiConnection = { ...CONNECTION, lun: 1, identity: { serial: "serial-1" } };
const TWO_PORTALS: IscsiConnection = {
  ...CONNECTION,
  portals: [
    { address: "192.0.2.9", port: 3260 },
    { address: "fd00::2", port: 3261, groupTag: 1 },
  ],
};
const CHAP = { username: "node-1", password: "password-one" };
const RECORDS = `/host/etc/iscsi/nodes/${IQN}`;
const RECORD = `${RECORDS}/192.0.2.1,3260`;

let host: FakeHost;
let target: FakeIscsiTarget;
let connector: Connector<IscsiConnection>;
const newConnector = () => iscsiConnector(host, { hostRoot: "/host", settleMs: 30 });
beforeEach(() => {
  host = fakeHost();
  host.addFile("/host/etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.1993-08.org.debian:01:fake\n");
  const luns = [0, 1].map((lun) => ({ lun, wwid: `naa.${lun}`, serial: `serial-${lun}`, sizeBytes: GIB }));
  target = host.addIscsiTarget({ iqn: IQN, portals: ["192.0.2.1:3260", "[fd00::2]:3261"], luns });
  connector = newConnector();
});

async function defect(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof ConnectorError) return { code: error.code, message: error.message };
  throw new Error(`not refused with a ConnectorError: ${String(error)}`);
}

const state = async (connection = CONNECTION) => (await connector.diagnose(connection))?.code ?? "HEALTHY";
const logins = () => host.runsOf("chroot").filter((args) => args.includes("--login"));
const logouts = () => host.runsOf("chroot").filter((args) => args.includes("--logout"));
const records = async () => (await host.files.list(RECORDS)) ?? [];

async function mountAt(path: string, device: string, lun = 0): Promise<void> {
  const [found] = target.luns.filter((each) => each.lun === lun);
  if (found?.content.kind === "blank") found.content = { kind: "filesystem", type: "ext4", uuid: `uuid-${lun}` };
  await ensureMounted(host, { source: device, target: path, fsType: "ext4" });
}

/** Lets the target give LUN 0 to another volume, as the kernel does not notice. */
function reuseLun(wwid: string): void {
  const [first, ...others] = target.luns;
  if (first === undefined) throw new Error("no LUN");
  target.luns = [{ ...first, wwid, serial: `serial of ${wwid}`, content: { kind: "blank" } }, ...others];
}

describe("attaching", () => {
  it("gives the device, and gives it again without another login", async () => {
    expect(await connector.attach(CONNECTION)).toEqual({ device: "/dev/sda" });
    expect(await connector.attach(CONNECTION)).toEqual({ device: "/dev/sda" });
    expect(logins()).toHaveLength(1);
    expect(await connector.find(CONNECTION)).toEqual({ device: "/dev/sda" });
    expect(await state()).toBe("HEALTHY");
  });

  it("twice at once logs in once", async () => {
    await Promise.all([connector.attach(CONNECTION), connector.attach(CONNECTION), connector.attach(SECOND)]);
    expect(logins()).toHaveLength(1);
  });

  it("shows the node's own initiator name, by an iface record that is made once", async () => {
    target.initiators = [NODE];
    await connector.attach(CONNECTION);
    await connector.detach(CONNECTION);
    await connector.attach(CONNECTION);
    expect(host.iscsi.sessions.map(({ initiatorName }) => initiatorName)).toEqual([NODE]);
    expect(ifaceName(NODE)).toMatch(/^csi-[0-9a-f]{12}$/);
    expect(host.runsOf("chroot").filter((args) => args.includes("iface.initiatorname"))).toHaveLength(1);
  });

  it("shows the host's own name when it is given none", async () => {
    const { initiatorName: _, ...own } = CONNECTION;
    expect(await connector.attach(own)).toEqual({ device: "/dev/sda" });
    expect(host.iscsi.sessions.map(({ iface }) => iface)).toEqual(["default"]);
    await connector.detach(own);
    expect(await records()).toEqual([]);
  });

  it("leaves sessions under another initiator name alone", async () => {
    const { initiatorName: _, ...own } = CONNECTION;
    await connector.attach(own);
    expect(await connector.find(CONNECTION)).toBeUndefined();
    expect(await connector.attach(CONNECTION)).toEqual({ device: "/dev/sdb" });
    await connector.detach(CONNECTION);
    expect(host.iscsi.sessions.map(({ iface }) => iface)).toEqual(["default"]);
  });

  it("tries the portals until one lets it in: one session is enough", async () => {
    expect(await connector.attach(TWO_PORTALS)).toEqual({ device: "/dev/sda" });
    expect(host.iscsi.sessions.map(({ portal }) => portal)).toEqual(["[fd00::2]:3261"]);
    expect(await host.files.readText(`${RECORDS}/fd00::2,3261,1/${ifaceName(NODE)}`)).toContain("fd00::2");
    await connector.detach(TWO_PORTALS);
    expect(await records()).toEqual([]);
  });

  it("asks a portal for the others when told to", async () => {
    const asking: IscsiConnection = {
      ...CONNECTION,
      portals: [{ address: "fd00::2", port: 3261 }],
      discovery: "sendtargets",
    };
    await connector.attach(asking);
    expect(host.iscsi.sessions.map(({ portal }) => portal)).toEqual(["192.0.2.1:3260"]);
    expect(host.runsOf("chroot").some((args) => args.includes("nonpersistent"))).toBe(true);
    target.up = false;
    await connector.detach(asking);
    expect(await defect(connector.attach(asking))).toMatchObject({ code: "UNREACHABLE" });
  });

  it("asks for a large LUN as the kernel counts it", async () => {
    target.luns = [{ ...(target.luns[0] as (typeof target.luns)[0]), lun: 0x4000 + 300 }];
    expect(await connector.attach({ ...CONNECTION, lun: 300 })).toEqual({ device: "/dev/sda" });
  });

  it("shows no LUN but the one asked for, and does not log in by itself at boot", async () => {
    await connector.attach({ ...CONNECTION, recoveryTimeoutSeconds: 20 });
    expect(await host.files.lstat("/dev/sdb")).toBeUndefined();
    const text = await host.files.readText(RECORD);
    expect(text).toContain("node.startup = manual\n");
    expect(text).toContain("node.session.timeo.replacement_timeout = 20\n");
    expect(text?.trimEnd().endsWith("# END RECORD")).toBe(true);
  });
});

describe("CHAP", () => {
  const MUTUAL = { ...CHAP, usernameIn: "target-1", passwordIn: "password-two" };

  it.each([
    ["one-way", CHAP],
    ["mutual", MUTUAL],
  ])("%s: the right secrets let the host in, and appear in no argument", async (_, secrets) => {
    target.chap = secrets;
    await connector.attach(CONNECTION, { secrets });
    expect(await host.files.readText(RECORD)).toContain(`node.session.auth.password = ${secrets.password}\n`);
    await connector.resize(CONNECTION);
    await connector.detach(CONNECTION);
    const commands = host.events.filter(({ kind }) => kind === "run");
    expect(commands.length).toBeGreaterThan(5);
    for (const secret of Object.values(secrets)) expect(JSON.stringify(commands)).not.toContain(secret);
  });

  it.each([
    ["missing", undefined],
    ["wrong", { ...CHAP, password: "not-the-password" }],
  ])("%s: AUTHENTICATION_FAILED, no secret in the error, no record left", async (_, secrets) => {
    target.chap = CHAP;
    const { code, message } = await defect(connector.attach(CONNECTION, { secrets }));
    expect(code).toBe("AUTHENTICATION_FAILED");
    expect(message).not.toContain("password-");
    expect(message).not.toContain("not-the-password");
    expect(await records()).toEqual([]);
    expect(await connector.attach(CONNECTION, { secrets: CHAP })).toEqual({ device: "/dev/sda" });
  });

  it.each([
    [{ username: "node-1" }],
    [{ username: "node-1", password: "secret\nnode.startup = automatic" }],
    [{ username: "node-1", password: " secret" }],
    [{ usernameIn: "target", passwordIn: "secret" }],
    [{ username: "node-1", password: "secret".repeat(50) }],
  ])("secrets that cannot be (%#): INVALID, and the error holds none", async (secrets) => {
    const { code, message } = await defect(connector.attach(CONNECTION, { secrets }));
    expect(code).toBe("INVALID");
    expect(message).not.toContain("secret\n");
    expect(message).not.toContain("secretsecret");
    expect(host.events).toEqual([]);
  });

  it("the secrets go with detach", async () => {
    target.chap = CHAP;
    await connector.attach(CONNECTION, { secrets: CHAP });
    await connector.detach(CONNECTION);
    expect(await records()).toEqual([]);
  });
});

describe("a LUN that another volume has now (pain 11)", () => {
  it("is refused while the old device is mounted, with what to unmount", async () => {
    const { device } = await connector.attach(CONNECTION);
    await mountAt("/staging", device);
    reuseLun("naa.new");
    const other: IscsiConnection = { ...CONNECTION, identity: { wwid: "naa.new" } };
    for (let attempt = 0; attempt < 2; attempt++) {
      const { code, message } = await defect(connector.attach(other));
      expect(code).toBe("WRONG_DEVICE");
      expect(message).toContain("/staging");
    }
    expect(await defect(connector.find(other))).toMatchObject({ code: "WRONG_DEVICE" });
  });

  it("is written to no more by the old volume's mount, once that is known", async () => {
    const { device } = await connector.attach(CONNECTION);
    await mountAt("/staging", device);
    reuseLun("naa.new");
    const other: IscsiConnection = { ...CONNECTION, identity: { wwid: "naa.new" } };
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
    expect(host.iscsi.disk(IQN, 0)?.state).toBe("offline");
    expect(await defect(connector.attach(other))).toMatchObject({ code: "NO_DEVICE" });
    await removeMount(host, "/staging");
    expect(await connector.attach(other)).toEqual({ device: "/dev/sda" });
    expect(host.iscsi.disk(IQN, 0)?.state).toBe("running");
  });

  it("is made anew when nobody uses the old device", async () => {
    await connector.attach(CONNECTION);
    reuseLun("naa.new");
    const other: IscsiConnection = { ...CONNECTION, identity: { wwid: "naa.new", serial: "serial of naa.new" } };
    expect(await connector.attach(other)).toEqual({ device: "/dev/sda" });
    expect(host.runsOf("tee").filter(([path]) => path?.endsWith("/delete"))).toHaveLength(1);
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
  });

  it("leaves nothing behind when it was never the volume: the detach ends the session", async () => {
    reuseLun("naa.new");
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
    expect(await host.files.lstat("/dev/sda")).toBeUndefined();
    await connector.detach(CONNECTION);
    expect(host.iscsi.sessions).toEqual([]);
  });

  it("ends with the old volume's detach, once it is unmounted", async () => {
    const { device } = await connector.attach(CONNECTION);
    await mountAt("/staging", device);
    reuseLun("naa.new");
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
    expect(await defect(connector.detach(CONNECTION))).toMatchObject({ code: "IN_USE" });
    await removeMount(host, "/staging");
    await connector.detach(CONNECTION);
    expect(host.iscsi.sessions).toEqual([]);
  });

  it("is not taken from its new volume: neither by a late attach nor by a late detach", async () => {
    reuseLun("naa.new");
    const other: IscsiConnection = { ...CONNECTION, identity: { wwid: "naa.new" } };
    await connector.attach(other);
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
    await connector.detach(CONNECTION);
    expect(await connector.find(other)).toEqual({ device: "/dev/sda" });
    expect(host.runsOf("tee").filter(([path]) => path?.endsWith("/delete"))).toEqual([]);
  });

  it("that is not exported any more is no device, though the kernel goes on showing its wwid", async () => {
    await connector.attach(CONNECTION);
    const { luns } = target;
    target.luns = luns.slice(1);
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({ code: "NO_DEVICE" });
    target.luns = luns;
    expect(await connector.attach(CONNECTION)).toEqual({ device: "/dev/sda" });
  });

  it("is noticed by a resize", async () => {
    await connector.attach(CONNECTION);
    reuseLun("naa.new");
    expect(await defect(connector.resize(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
  });

  it("is told from a LUN that only got another name, or had none before", async () => {
    const bySerial: IscsiConnection = { ...CONNECTION, identity: { serial: "serial-0" } };
    const { device } = await connector.attach(bySerial);
    await mountAt("/staging", device);
    Object.assign(host.iscsi.disk(IQN, 0) ?? {}, { wwid: "" });
    expect(await connector.attach(CONNECTION)).toEqual({ device });
    for (const lun of target.luns) lun.wwid = `eui.${lun.lun}`;
    expect(await connector.attach(bySerial)).toEqual({ device });
    expect(host.iscsi.disk(IQN, 0)?.state).toBe("running");
  });

  it("is not looked for when the identity is unchecked", async () => {
    expect(await connector.attach({ ...CONNECTION, identity: "unchecked" })).toEqual({ device: "/dev/sda" });
    reuseLun("naa.new");
    expect(await connector.attach({ ...CONNECTION, identity: "unchecked" })).toEqual({ device: "/dev/sda" });
  });
});

describe("volumes of one target (pain 7)", () => {
  it("share the session, which ends with the last of them", async () => {
    const first = await connector.attach(CONNECTION);
    const second = await connector.attach(SECOND);
    expect([first.device, second.device]).toEqual(["/dev/sda", "/dev/sdb"]);
    await connector.detach(CONNECTION);
    expect(await host.files.lstat("/dev/sda")).toBeUndefined();
    expect(await connector.find(SECOND)).toEqual(second);
    expect(await records()).not.toEqual([]);
    await connector.detach(SECOND);
    expect(host.iscsi.sessions).toEqual([]);
    expect(await records()).toEqual([]);
  });

  it("come and go at once, and whoever stays keeps its device", async () => {
    await connector.attach(CONNECTION);
    for (let round = 0; round < 10; round++) {
      await Promise.all([connector.detach(CONNECTION), connector.attach(SECOND)]);
      expect(await connector.find(SECOND)).toBeDefined();
      await Promise.all([connector.attach(CONNECTION), connector.detach(SECOND)]);
      expect(await connector.find(CONNECTION)).toBeDefined();
    }
  });
});

describe("diagnosing", () => {
  it("no session: NOT_CONNECTED, and nothing is found", async () => {
    expect(await state()).toBe("NOT_CONNECTED");
    expect(await connector.find(CONNECTION)).toBeUndefined();
    expect(host.events).toEqual([]);
  });

  it("a lost session: CONNECTING, healthy again when the target is back", async () => {
    await connector.attach(CONNECTION);
    target.up = false;
    expect(await state()).toBe("CONNECTING");
    expect(await defect(connector.resize(CONNECTION))).toMatchObject({ code: "CONNECTING" });
    target.up = true;
    expect(await state()).toBe("HEALTHY");
  });

  it("a LUN that is not exported: NO_DEVICE", async () => {
    const missing = { ...CONNECTION, lun: 7 };
    expect(await defect(connector.attach(missing))).toMatchObject({ code: "NO_DEVICE" });
    expect(await state(missing)).toBe("NO_DEVICE");
  });

  it("a device that the kernel gave up: NO_DEVICE, made anew by attach when nobody uses it", async () => {
    await connector.attach(CONNECTION);
    Object.assign(host.iscsi.disk(IQN, 0) ?? {}, { state: "offline" });
    expect(await state()).toBe("NO_DEVICE");
    await connector.attach(CONNECTION);
    expect(await state()).toBe("HEALTHY");
  });

  it("one LUN over two sessions: AMBIGUOUS", async () => {
    const { initiatorName: _, ...any } = CONNECTION;
    await connector.attach(CONNECTION);
    await connector.attach({ ...CONNECTION, initiatorName: `${NODE}b` });
    expect(await state(any)).toBe("AMBIGUOUS");
    expect(await defect(connector.find(any))).toMatchObject({ code: "AMBIGUOUS" });
    expect(await defect(connector.attach(any))).toMatchObject({ code: "AMBIGUOUS" });
  });
});

describe("what stands in the way of an attach", () => {
  it("a dead target: UNREACHABLE, no record left", async () => {
    target.up = false;
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({ code: "UNREACHABLE" });
    expect(await records()).toEqual([]);
  });

  it("a portal without that target: NOT_FOUND", async () => {
    const other = { ...CONNECTION, iqn: `${IQN}9` };
    expect(await defect(connector.attach(other))).toMatchObject({ code: "NOT_FOUND" });
  });

  it("no iscsid: UNSUPPORTED, with how to start it", async () => {
    host.iscsi.daemon = false;
    const { code, message } = await defect(connector.attach(CONNECTION));
    expect(code).toBe("UNSUPPORTED");
    expect(message).toContain("systemctl enable --now iscsid");
  });

  it.each([
    [12, "modprobe iscsi_tcp"],
    [127, "package open-iscsi"],
  ])("iscsiadm ends with %i: UNSUPPORTED, with what to install or load", async (exitCode, remedy) => {
    host.inject("chroot", { exitCode, arg: "--login" });
    const { code, message } = await defect(connector.attach(CONNECTION));
    expect(code).toBe("UNSUPPORTED");
    expect(message).toContain(remedy);
  });

  it("records that are nowhere to be seen: UNSUPPORTED, with hostRoot", async () => {
    const blind = iscsiConnector(host, { hostRoot: "/host" });
    host.inject("chroot", { exitCode: 0, arg: "new", times: 9 });
    host.inject("chroot", { exitCode: 0, arg: "update", times: 9 });
    const { code, message } = await defect(blind.attach(CONNECTION));
    expect(code).toBe("UNSUPPORTED");
    expect(message).toContain("hostRoot");
  });

  it("multipathd holds the disk: IN_USE, with how to keep it off", async () => {
    await connector.attach(CONNECTION);
    host.addFile("/sys/class/block/sda/holders/dm-0/uevent");
    host.addFile("/sys/class/block/dm-0/dm/uuid", "mpath-naa.0\n");
    const { code, message } = await defect(connector.attach(CONNECTION));
    expect(code).toBe("IN_USE");
    expect(message).toContain("find_multipaths");
  });

  it("a login that does not end: TIMEOUT, and the next call finds how it went", async () => {
    host.inject("chroot", { hang: true, arg: "--login" });
    expect(await defect(connector.attach(CONNECTION, { timeoutMs: 60 }))).toMatchObject({ code: "TIMEOUT" });
    expect(await connector.attach(CONNECTION)).toEqual({ device: "/dev/sda" });
  });

  it("a lost session that nobody uses is made anew through another portal", async () => {
    await connector.attach(TWO_PORTALS);
    target.portals = ["192.0.2.9:3260"];
    expect(await connector.attach(TWO_PORTALS)).toEqual({ device: "/dev/sda" });
    expect(host.iscsi.sessions.map(({ portal }) => portal)).toEqual(["192.0.2.9:3260"]);
  });

  it("a lost session whose device is mounted is left to come back: CONNECTING", async () => {
    const { device } = await connector.attach(CONNECTION);
    await mountAt("/staging", device);
    target.up = false;
    expect(await defect(connector.attach(CONNECTION))).toMatchObject({ code: "CONNECTING" });
    expect(logouts()).toEqual([]);
  });

  it.each([
    [{ iqn: "iqn.2016-06.io.spdk:../../etc" }],
    [{ iqn: "--logout" }],
    [{ portals: [] }],
    [{ portals: [{ address: "-x", port: 3260 }] }],
    [{ lun: -1 }],
    [{ lun: 20_000 }],
    [{ identity: {} as IscsiConnection["identity"] }],
    [{ initiatorName: "n1" }],
  ])("a connection that cannot be (%#): INVALID, nothing is run", async (wrong) => {
    expect(await defect(connector.attach({ ...CONNECTION, ...wrong }))).toMatchObject({ code: "INVALID" });
    expect(host.events).toEqual([]);
  });
});

describe("resizing", () => {
  it("shows the new size at once", async () => {
    await connector.attach(CONNECTION);
    for (const lun of target.luns) lun.sizeBytes = 3n * GIB;
    await connector.resize(CONNECTION);
    expect(host.device("/dev/sda")?.sizeBytes).toBe(3n * GIB);
  });

  it("of what is not attached: NOT_CONNECTED", async () => {
    expect(await defect(connector.resize(CONNECTION))).toMatchObject({ code: "NOT_CONNECTED" });
  });
});

describe("detaching", () => {
  it("what is not attached is fine, twice, and needs no open-iscsi", async () => {
    host.iscsi.daemon = false;
    await connector.detach(CONNECTION);
    await connector.detach(CONNECTION);
    expect(host.events).toEqual([]);
  });

  it("is refused while the device, or a partition of it, is mounted or held", async () => {
    const { device } = await connector.attach(CONNECTION);
    await mountAt("/staging", device);
    const { code, message } = await defect(connector.detach(CONNECTION));
    expect(code).toBe("IN_USE");
    expect(message).toContain("/staging");
    await removeMount(host, "/staging");
    host.addFile("/sys/class/block/sda/sda1/partition", "1\n");
    host.addFile("/sys/class/block/sda1/holders/dm-3/uevent");
    expect(await defect(connector.detach(CONNECTION))).toMatchObject({ code: "IN_USE" });
    expect(await connector.find(CONNECTION)).toEqual({ device });
  });

  it("works with a dead target, and by a connector that never attached (pains 3, 12)", async () => {
    await connector.attach(CONNECTION, { secrets: CHAP });
    target.up = false;
    await newConnector().detach(CONNECTION);
    expect(host.iscsi.sessions).toEqual([]);
    expect(await records()).toEqual([]);
    expect(host.runsOf("blockdev")).toEqual([]);
  });

  it("works without the device, and without records", async () => {
    await connector.attach(CONNECTION);
    for (const disk of host.iscsi.sessions.flatMap(({ disks }) => disks.splice(0))) expect(disk.name).toBe("sda");
    for (const name of await records()) await host.files.unlink(`${RECORDS}/${name}`);
    await connector.detach(CONNECTION);
    expect(host.iscsi.sessions).toEqual([]);
  });

  it("a logout that does not end: TIMEOUT, and the next call ends it", async () => {
    await connector.attach(CONNECTION);
    host.inject("chroot", { hang: true, arg: "--logout" });
    expect(await defect(connector.detach(CONNECTION, { timeoutMs: 60 }))).toMatchObject({ code: "TIMEOUT" });
    await connector.detach(CONNECTION);
    expect(host.iscsi.sessions).toEqual([]);
  });

  it("what cannot be written back stays", async () => {
    await connector.attach(CONNECTION);
    host.inject("blockdev", { exitCode: 1, stderr: "Input/output error" });
    expect(await defect(connector.detach(CONNECTION))).toMatchObject({ code: "FAILED" });
    expect(await connector.find(CONNECTION)).toEqual({ device: "/dev/sda" });
  });
});
