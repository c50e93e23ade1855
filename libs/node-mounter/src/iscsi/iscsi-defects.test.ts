import { beforeEach, describe, expect, it } from "vitest";

import { CONNECTION, IQN, IscsiBench, NODE, TWO_PORTALS } from "../../test/iscsi-bench.ts";
import { refusalOf } from "../../test/refusal.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import { iscsiConnector } from "./iscsi-connector.ts";

let bench: IscsiBench;
beforeEach(() => {
  bench = new IscsiBench();
});

const defect = (call: Promise<unknown>) => refusalOf(ConnectorError, call);

describe("diagnosing", () => {
  it("no session: NOT_CONNECTED, and nothing is found", async () => {
    expect(await bench.state()).toBe("NOT_CONNECTED");
    expect(await bench.connector.find(CONNECTION)).toBeUndefined();
    expect(bench.host.events).toEqual([]);
  });

  it("a lost session: CONNECTING, healthy again when the target is back", async () => {
    await bench.connector.attach(CONNECTION);
    bench.target.up = false;
    expect(await bench.state()).toBe("CONNECTING");
    expect(await defect(bench.connector.resize(CONNECTION))).toMatchObject({ code: "CONNECTING" });
    bench.target.up = true;
    expect(await bench.state()).toBe("HEALTHY");
  });

  it("a LUN that is not exported: NO_DEVICE", async () => {
    const missing = { ...CONNECTION, lun: 7 };
    expect(await defect(bench.connector.attach(missing))).toMatchObject({ code: "NO_DEVICE" });
    expect(await bench.state(missing)).toBe("NO_DEVICE");
  });

  it("a device that the kernel gave up: NO_DEVICE, made anew by attach when nobody uses it", async () => {
    await bench.connector.attach(CONNECTION);
    Object.assign(bench.host.iscsi.disk(IQN, 0) ?? {}, { state: "offline" });
    expect(await bench.state()).toBe("NO_DEVICE");
    await bench.connector.attach(CONNECTION);
    expect(await bench.state()).toBe("HEALTHY");
  });

  it("one LUN over two sessions: AMBIGUOUS", async () => {
    const { initiatorName: _, ...any } = CONNECTION;
    await bench.connector.attach(CONNECTION);
    await bench.connector.attach({ ...CONNECTION, initiatorName: `${NODE}b` });
    expect(await bench.state(any)).toBe("AMBIGUOUS");
    expect(await defect(bench.connector.find(any))).toMatchObject({ code: "AMBIGUOUS" });
    expect(await defect(bench.connector.attach(any))).toMatchObject({ code: "AMBIGUOUS" });
  });
});

describe("what stands in the way of an attach", () => {
  it("a dead target: UNREACHABLE, no record left", async () => {
    bench.target.up = false;
    expect(await defect(bench.connector.attach(CONNECTION))).toMatchObject({ code: "UNREACHABLE" });
    expect(await bench.records()).toEqual([]);
  });

  it("a portal without that target: NOT_FOUND", async () => {
    const other = { ...CONNECTION, iqn: `${IQN}9` };
    expect(await defect(bench.connector.attach(other))).toMatchObject({ code: "NOT_FOUND" });
  });

  it("no iscsid: UNSUPPORTED, with how to start it", async () => {
    bench.host.iscsi.daemon = false;
    const { code, message } = await defect(bench.connector.attach(CONNECTION));
    expect(code).toBe("UNSUPPORTED");
    expect(message).toContain("systemctl enable --now iscsid");
  });

  it.each([
    [12, "modprobe iscsi_tcp"],
    [127, "package open-iscsi"],
  ])("iscsiadm ends with %i: UNSUPPORTED, with what to install or load", async (exitCode, remedy) => {
    bench.host.inject("chroot", { exitCode, arg: "--login" });
    const { code, message } = await defect(bench.connector.attach(CONNECTION));
    expect(code).toBe("UNSUPPORTED");
    expect(message).toContain(remedy);
  });

  it("records that are nowhere to be seen: UNSUPPORTED, with hostRoot", async () => {
    const blind = iscsiConnector(bench.host, { hostRoot: "/host" });
    bench.host.inject("chroot", { exitCode: 0, arg: "new", times: 9 });
    bench.host.inject("chroot", { exitCode: 0, arg: "update", times: 9 });
    const { code, message } = await defect(blind.attach(CONNECTION));
    expect(code).toBe("UNSUPPORTED");
    expect(message).toContain("hostRoot");
  });

  it("multipathd holds the disk: IN_USE, with how to keep it off", async () => {
    await bench.connector.attach(CONNECTION);
    bench.host.addFile("/sys/class/block/sda/holders/dm-0/uevent");
    bench.host.addFile("/sys/class/block/dm-0/dm/uuid", "mpath-naa.0\n");
    const { code, message } = await defect(bench.connector.attach(CONNECTION));
    expect(code).toBe("IN_USE");
    expect(message).toContain("find_multipaths");
  });

  it("a login that does not end: TIMEOUT, and the next call finds how it went", async () => {
    bench.host.inject("chroot", { hang: true, arg: "--login" });
    expect(await defect(bench.connector.attach(CONNECTION, { timeoutMs: 60 }))).toMatchObject({ code: "TIMEOUT" });
    expect(await bench.connector.attach(CONNECTION)).toEqual({ device: "/dev/sda" });
  });

  it("a lost session that nobody uses is made anew through another portal", async () => {
    await bench.connector.attach(TWO_PORTALS);
    bench.target.portals = ["192.0.2.9:3260"];
    expect(await bench.connector.attach(TWO_PORTALS)).toEqual({ device: "/dev/sda" });
    expect(bench.host.iscsi.sessions.map(({ portal }) => portal)).toEqual(["192.0.2.9:3260"]);
  });

  it("a lost session whose device is mounted is left to come back: CONNECTING", async () => {
    const { device } = await bench.connector.attach(CONNECTION);
    await bench.mountAt("/staging", device);
    bench.target.up = false;
    expect(await defect(bench.connector.attach(CONNECTION))).toMatchObject({ code: "CONNECTING" });
    expect(bench.logouts()).toEqual([]);
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
    expect(await defect(bench.connector.attach({ ...CONNECTION, ...wrong }))).toMatchObject({ code: "INVALID" });
    expect(bench.host.events).toEqual([]);
  });
});
