import { beforeEach, describe, expect, it } from "vitest";

import {
  CHAP,
  CONNECTION,
  GIB,
  IscsiBench,
  NODE,
  RECORD,
  RECORDS,
  SECOND,
  TWO_PORTALS,
} from "../../test/iscsi-bench.ts";
import { refusalOf } from "../../test/refusal.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import { removeMount } from "../mounts/remove-mount.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import { ifaceName } from "./iscsi-initiator.ts";

let bench: IscsiBench;
beforeEach(() => {
  bench = new IscsiBench();
});

const defect = (call: Promise<unknown>) => refusalOf(ConnectorError, call);

describe("attaching", () => {
  it("gives the device, and gives it again without another login", async () => {
    expect(await bench.connector.attach(CONNECTION)).toEqual({ device: "/dev/sda" });
    expect(await bench.connector.attach(CONNECTION)).toEqual({ device: "/dev/sda" });
    expect(bench.logins()).toHaveLength(1);
    expect(await bench.connector.find(CONNECTION)).toEqual({ device: "/dev/sda" });
    expect(await bench.state()).toBe("HEALTHY");
  });

  it("twice at once logs in once", async () => {
    await Promise.all([
      bench.connector.attach(CONNECTION),
      bench.connector.attach(CONNECTION),
      bench.connector.attach(SECOND),
    ]);
    expect(bench.logins()).toHaveLength(1);
  });

  it("shows the node's own initiator name, by an iface record that is made once", async () => {
    bench.target.initiators = [NODE];
    await bench.connector.attach(CONNECTION);
    await bench.connector.detach(CONNECTION);
    await bench.connector.attach(CONNECTION);
    expect(bench.host.iscsi.sessions.map(({ initiatorName }) => initiatorName)).toEqual([NODE]);
    expect(ifaceName(NODE)).toMatch(/^csi-[0-9a-f]{12}$/);
    expect(bench.host.runsOf("chroot").filter((args) => args.includes("iface.initiatorname"))).toHaveLength(1);
  });

  it("shows the host's own name when it is given none", async () => {
    const { initiatorName: _, ...own } = CONNECTION;
    expect(await bench.connector.attach(own)).toEqual({ device: "/dev/sda" });
    expect(bench.host.iscsi.sessions.map(({ iface }) => iface)).toEqual(["default"]);
    await bench.connector.detach(own);
    expect(await bench.records()).toEqual([]);
  });

  it("leaves sessions under another initiator name alone", async () => {
    const { initiatorName: _, ...own } = CONNECTION;
    await bench.connector.attach(own);
    expect(await bench.connector.find(CONNECTION)).toBeUndefined();
    expect(await bench.connector.attach(CONNECTION)).toEqual({ device: "/dev/sdb" });
    await bench.connector.detach(CONNECTION);
    expect(bench.host.iscsi.sessions.map(({ iface }) => iface)).toEqual(["default"]);
  });

  it("tries the portals until one lets it in: one session is enough", async () => {
    expect(await bench.connector.attach(TWO_PORTALS)).toEqual({ device: "/dev/sda" });
    expect(bench.host.iscsi.sessions.map(({ portal }) => portal)).toEqual(["[fd00::2]:3261"]);
    expect(await bench.host.files.readText(`${RECORDS}/fd00::2,3261,1/${ifaceName(NODE)}`)).toContain("fd00::2");
    await bench.connector.detach(TWO_PORTALS);
    expect(await bench.records()).toEqual([]);
  });

  it("asks a portal for the others when told to", async () => {
    const asking: IscsiConnection = {
      ...CONNECTION,
      portals: [{ address: "fd00::2", port: 3261 }],
      discovery: "sendtargets",
    };
    await bench.connector.attach(asking);
    expect(bench.host.iscsi.sessions.map(({ portal }) => portal)).toEqual(["192.0.2.1:3260"]);
    expect(bench.host.runsOf("chroot").some((args) => args.includes("nonpersistent"))).toBe(true);
    bench.target.up = false;
    await bench.connector.detach(asking);
    expect(await defect(bench.connector.attach(asking))).toMatchObject({ code: "UNREACHABLE" });
  });

  it("asks for a large LUN as the kernel counts it", async () => {
    bench.target.luns = [{ ...(bench.target.luns[0] as (typeof bench.target.luns)[0]), lun: 0x4000 + 300 }];
    expect(await bench.connector.attach({ ...CONNECTION, lun: 300 })).toEqual({ device: "/dev/sda" });
  });

  it("shows no LUN but the one asked for, and does not log in by itself at boot", async () => {
    await bench.connector.attach({ ...CONNECTION, recoveryTimeoutSeconds: 20 });
    expect(await bench.host.files.lstat("/dev/sdb")).toBeUndefined();
    const text = await bench.host.files.readText(RECORD);
    expect(text).toContain("node.startup = manual\n");
    expect(text).toContain("node.session.timeo.replacement_timeout = 20\n");
    expect(text?.trimEnd().endsWith("# END RECORD")).toBe(true);
  });
});

describe("volumes of one target (pain 7)", () => {
  it("share the session, which ends with the last of them", async () => {
    const first = await bench.connector.attach(CONNECTION);
    const second = await bench.connector.attach(SECOND);
    expect([first.device, second.device]).toEqual(["/dev/sda", "/dev/sdb"]);
    await bench.connector.detach(CONNECTION);
    expect(await bench.host.files.lstat("/dev/sda")).toBeUndefined();
    expect(await bench.connector.find(SECOND)).toEqual(second);
    expect(await bench.records()).not.toEqual([]);
    await bench.connector.detach(SECOND);
    expect(bench.host.iscsi.sessions).toEqual([]);
    expect(await bench.records()).toEqual([]);
  });

  it("come and go at once, and whoever stays keeps its device", async () => {
    await bench.connector.attach(CONNECTION);
    for (let round = 0; round < 10; round++) {
      await Promise.all([bench.connector.detach(CONNECTION), bench.connector.attach(SECOND)]);
      expect(await bench.connector.find(SECOND)).toBeDefined();
      await Promise.all([bench.connector.attach(CONNECTION), bench.connector.detach(SECOND)]);
      expect(await bench.connector.find(CONNECTION)).toBeDefined();
    }
  });
});

describe("resizing", () => {
  it("shows the new size at once", async () => {
    await bench.connector.attach(CONNECTION);
    for (const lun of bench.target.luns) lun.sizeBytes = 3n * GIB;
    await bench.connector.resize(CONNECTION);
    expect(bench.host.device("/dev/sda")?.sizeBytes).toBe(3n * GIB);
  });

  it("of what is not attached: NOT_CONNECTED", async () => {
    expect(await defect(bench.connector.resize(CONNECTION))).toMatchObject({ code: "NOT_CONNECTED" });
  });
});

describe("detaching", () => {
  it("what is not attached is fine, twice, and needs no open-iscsi", async () => {
    bench.host.iscsi.daemon = false;
    await bench.connector.detach(CONNECTION);
    await bench.connector.detach(CONNECTION);
    expect(bench.host.events).toEqual([]);
  });

  it("is refused while the device, or a partition of it, is mounted or held", async () => {
    const { device } = await bench.connector.attach(CONNECTION);
    await bench.mountAt("/staging", device);
    const { code, message } = await defect(bench.connector.detach(CONNECTION));
    expect(code).toBe("IN_USE");
    expect(message).toContain("/staging");
    await removeMount(bench.host, "/staging");
    bench.host.addFile("/sys/class/block/sda/sda1/partition", "1\n");
    bench.host.addFile("/sys/class/block/sda1/holders/dm-3/uevent");
    expect(await defect(bench.connector.detach(CONNECTION))).toMatchObject({ code: "IN_USE" });
    expect(await bench.connector.find(CONNECTION)).toEqual({ device });
  });

  it("works with a dead target, and by a connector that never attached (pains 3, 12)", async () => {
    await bench.connector.attach(CONNECTION, { secrets: CHAP });
    bench.target.up = false;
    await bench.newConnector().detach(CONNECTION);
    expect(bench.host.iscsi.sessions).toEqual([]);
    expect(await bench.records()).toEqual([]);
    expect(bench.host.runsOf("blockdev")).toEqual([]);
  });

  it("works without the device, and without records", async () => {
    await bench.connector.attach(CONNECTION);
    for (const disk of bench.host.iscsi.sessions.flatMap(({ disks }) => disks.splice(0))) expect(disk.name).toBe("sda");
    for (const name of await bench.records()) await bench.host.files.unlink(`${RECORDS}/${name}`);
    await bench.connector.detach(CONNECTION);
    expect(bench.host.iscsi.sessions).toEqual([]);
  });

  it("a logout that does not end: TIMEOUT, and the next call ends it", async () => {
    await bench.connector.attach(CONNECTION);
    bench.host.inject("chroot", { hang: true, arg: "--logout" });
    expect(await defect(bench.connector.detach(CONNECTION, { timeoutMs: 60 }))).toMatchObject({ code: "TIMEOUT" });
    await bench.connector.detach(CONNECTION);
    expect(bench.host.iscsi.sessions).toEqual([]);
  });

  it("what cannot be written back stays", async () => {
    await bench.connector.attach(CONNECTION);
    bench.host.inject("blockdev", { exitCode: 1, stderr: "Input/output error" });
    expect(await defect(bench.connector.detach(CONNECTION))).toMatchObject({ code: "FAILED" });
    expect(await bench.connector.find(CONNECTION)).toEqual({ device: "/dev/sda" });
  });
});
