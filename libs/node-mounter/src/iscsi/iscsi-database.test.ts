import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { linuxHost } from "../host/linux-host.ts";
import type { IscsiPortal } from "./iscsi-connection.ts";
import { IscsiDatabase } from "./iscsi-database.ts";
import { parseTargets } from "./iscsi-discovery.ts";
import { readSetting } from "./node-record.ts";

const IQN = "iqn.2016-06.io.spdk:vol1";
const IFACE = "csi-0123456789ab";
const V4: IscsiPortal = { address: "192.0.2.1", port: 3260 };

/** A record as open-iscsi 2.1 writes it, shortened. */
const RECORD = [
  "# BEGIN RECORD 2.1.8",
  `node.name = ${IQN}`,
  "node.tpgt = -1",
  "node.startup = automatic",
  `iface.iscsi_ifacename = ${IFACE}`,
  "iface.transport_name = tcp",
  "node.session.auth.authmethod = None",
  "node.session.auth.chap_algs = MD5",
  "node.session.scan = auto",
  "node.conn[0].address = 192.0.2.1",
  "node.conn[0].port = 3260",
  "node.conn[0].iscsi.OFMarker = No",
  "# END RECORD",
  "",
].join("\n");

let root: string;
let database: IscsiDatabase;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "iscsi-"));
  database = new IscsiDatabase(linuxHost(), root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, text = RECORD): Promise<string> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o644 });
  return file;
}

const SETTINGS = {
  "node.startup": "manual",
  "node.session.auth.authmethod": "CHAP",
  "node.session.auth.password": "password-one",
  "node.session.timeo.replacement_timeout": undefined,
};
const TAGGED: IscsiPortal = { ...V4, groupTag: 1 };
const V6: IscsiPortal = { address: "fd00::2", port: 3260, groupTag: 3 };
/** Where the records of distributions are, and a record of each layout. */
const PLACES: readonly (readonly [string, string, IscsiPortal])[] = [
  ["Debian, one file per portal", `etc/iscsi/nodes/${IQN}/192.0.2.1,3260`, V4],
  ["Debian, a folder per portal", `etc/iscsi/nodes/${IQN}/192.0.2.1,3260,1/${IFACE}`, TAGGED],
  ["Red Hat, one file per portal", `var/lib/iscsi/nodes/${IQN}/192.0.2.1,3260`, V4],
  ["Red Hat, a folder per portal", `var/lib/iscsi/nodes/${IQN}/fd00::2,3260,3/${IFACE}`, V6],
];

describe.each(PLACES)("the records of %s", (_, path, portal) => {
  it("take settings, readable by root alone, and keep the rest", async () => {
    const file = await put(path);
    // Red Hat keeps its configuration where Debian keeps its records.
    await put("etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.1994-05.com.redhat:n1\n");
    await database.change({ iqn: IQN, portal, iface: IFACE }, SETTINGS);
    await database.change({ iqn: IQN, portal, iface: IFACE }, SETTINGS);
    const text = await readFile(file, "utf8");
    const added = [
      "node.startup = manual",
      "node.session.auth.authmethod = CHAP",
      "node.session.auth.password = password-one",
    ];
    const kept = RECORD.split("\n").filter((line) => !/startup|authmethod|^$/.test(line));
    expect(text.split("\n")).toEqual([...kept.slice(0, -1), ...added, "# END RECORD", ""]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(file))).toHaveLength(1);
  });

  it("are rid of what an interrupted change has left", async () => {
    const file = await put(path);
    await put(`${path}.new`, "node.session.auth.password = password-one\n");
    await database.sweep(IQN);
    expect(await readdir(dirname(file))).toEqual([path.slice(path.lastIndexOf("/") + 1)]);
    expect(await database.has(IQN)).toBe(true);
  });
});

describe("records", () => {
  it.each([
    ["empty", ""],
    ["begun", RECORD.slice(0, RECORD.indexOf("node.tpgt"))],
    ["of nothing", RECORD.replace(IQN, "")],
  ])("that a killed iscsiadm has left %s go: it would fail every login because of them", async (_what, text) => {
    await put(`etc/iscsi/nodes/${IQN}/192.0.2.1,3260,1/default`, text);
    await put(`etc/iscsi/nodes/${IQN}/192.0.2.2,3260`, text);
    await database.sweep(IQN);
    expect(await database.has(IQN)).toBe(false);
  });

  it("that are not there: said so, with the places", async () => {
    const change = database.change({ iqn: IQN, portal: V4, iface: IFACE }, SETTINGS);
    await expect(change).rejects.toMatchObject({ code: "UNSUPPORTED" });
    expect(await database.has(IQN)).toBe(false);
    await database.sweep(IQN);
  });

  it("of an iface count only when they are complete", async () => {
    const name = "iqn.2020-04.io.spdk.csi:node:default:n1";
    expect(await database.hasIface(IFACE, name)).toBe(false);
    const begun = `# BEGIN RECORD 2.1.8\niface.iscsi_ifacename = ${IFACE}\niface.transport_name = tcp\n# END RECORD\n`;
    await put(`var/lib/iscsi/ifaces/${IFACE}`, begun);
    expect(await database.hasIface(IFACE, name)).toBe(false);
    await put(`var/lib/iscsi/ifaces/${IFACE}`, begun.replace("# END", `iface.initiatorname = ${name}\n# END`));
    expect(await database.hasIface(IFACE, name)).toBe(true);
  });

  it("give their settings whole", () => {
    expect(readSetting("a = b = c\n", "a")).toBe("b = c");
    expect(readSetting("a = b\n", "b")).toBeUndefined();
  });
});

describe("what discovery prints", () => {
  it("is read with IPv4, IPv6 and names, and messages are left out", () => {
    const lines = [
      "192.0.2.1:3260,1 iqn.2016-06.io.spdk:vol1",
      "[fd00::2]:3261,2 iqn.2016-06.io.spdk:vol1",
      "storage.example.org:3260,-1 iqn.2016-06.io.spdk:vol2",
      "iscsiadm: something else",
      "",
    ];
    expect(parseTargets(lines.join("\n"))).toEqual([
      { iqn: IQN, portal: { address: "192.0.2.1", port: 3260, groupTag: 1 } },
      { iqn: IQN, portal: { address: "fd00::2", port: 3261, groupTag: 2 } },
      { iqn: "iqn.2016-06.io.spdk:vol2", portal: { address: "storage.example.org", port: 3260 } },
    ]);
  });
});
