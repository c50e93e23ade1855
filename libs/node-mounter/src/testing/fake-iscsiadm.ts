import type { RunResult } from "../host/host.ts";
import { readSetting, withSettings } from "../iscsi/node-record.ts";
import { FakeIscsi } from "./fake-iscsi.ts";
import type { FakeMachine } from "./fake-machine.ts";

/** The name that a host shows unless an iface has its own. */
const HOST_NAME = "iqn.1993-08.org.debian:01:fake";

/** One call: what it is about, by its options. */
interface Call {
  readonly machine: FakeMachine;
  readonly iscsi: FakeIscsi;
  /** The folder of the records. */
  readonly database: string;
  readonly option: (letter: string) => string | undefined;
  readonly has: (flag: string) => boolean;
}

interface NodeRecord {
  readonly path: string;
  readonly text: string;
}

/** chroot(8), for iscsiadm alone. */
export function runFakeChroot(machine: FakeMachine, [root = "", command = "", ...args]: readonly string[]): RunResult {
  if (machine.get(root) === undefined) return ended(125, `chroot: cannot change root directory to ${root}`);
  if (command !== "iscsiadm") return ended(127, `chroot: failed to run command ${command}`);
  return run(machine, args, root);
}

/** iscsiadm(8) of open-iscsi 2.1: what the library asks of it, with its exit codes and its record files. */
export function runFakeIscsiadm(machine: FakeMachine, args: readonly string[]): RunResult {
  return run(machine, args, "");
}

function run(machine: FakeMachine, args: readonly string[], root: string): RunResult {
  const iscsi = machine.kernel.find((part) => part instanceof FakeIscsi);
  if (iscsi === undefined) return ended(1, "no iSCSI in the fake");
  const option = (letter: string): string | undefined => {
    const index = args.indexOf(letter);
    return index === -1 ? undefined : args[index + 1];
  };
  const call: Call = {
    machine,
    iscsi,
    database: `${root}${iscsi.database}`,
    option,
    has: (flag) => args.includes(flag),
  };
  const mode = option("-m");
  if (mode === "iface") return runIface(call);
  if (mode === "discovery") return runDiscovery(call);
  if (mode === "session") return runSession(call);
  return runNode(call);
}

function runIface({ machine, database, option }: Call): RunResult {
  const name = option("-I") ?? "";
  const path = `${database}/ifaces/${name}`;
  const found = machine.get(path);
  if (option("-o") === "new") {
    const lines = [`iface.iscsi_ifacename = ${name}`, "iface.transport_name = tcp"];
    machine.set(path, { kind: "file", text: record(lines) });
    return ended(0);
  }
  if (found?.kind !== "file") return ended(21, "iscsiadm: No records found");
  machine.set(path, { kind: "file", text: withSettings(found.text, { [option("-n") ?? ""]: option("-v") }) });
  return ended(0);
}

function runDiscovery({ iscsi, option }: Call): RunResult {
  if (!iscsi.daemon) return ended(20, "iscsiadm: Could not perform SendTargets discovery");
  const portal = option("-p") ?? "";
  const offering = iscsi.targets.filter(({ up, portals }) => up && portals.includes(portal));
  if (offering.length === 0) return ended(11, "iscsiadm: Could not perform SendTargets discovery: iSCSI PDU timed out");
  const lines = offering.flatMap(({ iqn, portals }) => portals.map((each) => `${each},1 ${iqn}\n`));
  return { exitCode: 0, stdout: lines.join(""), stderr: "" };
}

function runSession({ iscsi, option }: Call): RunResult {
  const session = iscsi.sessions.find(({ id }) => String(id) === option("-r"));
  if (session === undefined) return ended(22, "iscsiadm: Could not get session info");
  if (!iscsi.daemon) return ended(20, "iscsiadm: can not connect to iSCSI daemon (111)!");
  iscsi.logout(session);
  return ended(0);
}

function runNode(call: Call): RunResult {
  const operation = call.has("--login") ? "login" : call.option("-o");
  if (operation === "new") return makeRecord(call);
  const records = findRecords(call);
  if (records.length === 0) return ended(21, "iscsiadm: No records found");
  if (operation === "login") {
    if (!call.iscsi.daemon) return ended(20, "iscsiadm: initiator reported error (20 - could not connect to iscsid)");
    return ended(login(call, records[0]?.text ?? ""));
  }
  const busy = records.filter(({ text }) => isInUse(call, text));
  for (const { path } of records.filter((each) => !busy.includes(each))) {
    call.machine.delete(path);
    prune(call, path);
  }
  return busy.length > 0 ? ended(15, "iscsiadm: a session is using it") : ended(0);
}

function makeRecord({ machine, database, option }: Call): RunResult {
  const iface = option("-I") ?? "default";
  const made = machine.get(`${database}/ifaces/${iface}`);
  if (iface !== "default" && made?.kind !== "file") return ended(6, `iscsiadm: no iface ${iface}`);
  const [portal = "", tag] = (option("-p") ?? "").split(",");
  const [, address = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(portal) ?? [];
  const initiator = made?.kind === "file" ? readSetting(made.text, "iface.initiatorname") : undefined;
  const name = `${database}/nodes/${option("-T")}/${address},${port}`;
  const lines = [
    `node.name = ${option("-T")}`,
    `node.tpgt = ${tag ?? -1}`,
    "node.startup = automatic",
    `iface.iscsi_ifacename = ${iface}`,
    ...(initiator === undefined ? [] : [`iface.initiatorname = ${initiator}`]),
    "node.session.auth.authmethod = None",
    "node.session.timeo.replacement_timeout = 120",
    "node.session.scan = auto",
    `node.conn[0].address = ${address}`,
    `node.conn[0].port = ${port}`,
  ];
  machine.set(tag === undefined ? name : `${name},${tag}/${iface}`, { kind: "file", text: record(lines) });
  return ended(0);
}

function findRecords({ machine, database, option }: Call): NodeRecord[] {
  const target = `${database}/nodes/${option("-T")}`;
  const names = machine.children(target).filter((name) => /^[^,]+,\d+(?:,\d+)?$/.test(name));
  const paths = names.flatMap((name) => {
    const inside = machine.children(`${target}/${name}`);
    if (inside.length === 0) return [`${target}/${name}`];
    // A file that an interrupted write has left is no record.
    return inside.flatMap((each) => (each.endsWith(".new") ? [] : [`${target}/${name}/${each}`]));
  });
  const portal = option("-p")?.split(",")[0];
  return paths.flatMap((path) => {
    const node = machine.get(path);
    if (node?.kind !== "file") return [];
    const { text } = node;
    if (portal !== undefined && portalOf(text) !== portal) return [];
    const iface = option("-I");
    return iface !== undefined && readSetting(text, "iface.iscsi_ifacename") !== iface ? [] : [{ path, text }];
  });
}

function login({ iscsi }: Call, text: string): number {
  const read = (name: string): string | undefined => readSetting(text, name);
  const auth = (name: string): string => read(`node.session.auth.${name}`) ?? "";
  const names = { username: auth("username"), password: auth("password") };
  const names2 = { usernameIn: auth("username_in"), passwordIn: auth("password_in") };
  return iscsi.login({
    iqn: read("node.name") ?? "",
    portal: portalOf(text),
    iface: read("iface.iscsi_ifacename") ?? "default",
    initiatorName: read("iface.initiatorname") ?? HOST_NAME,
    chap: auth("authmethod") === "CHAP" ? { ...names, ...names2 } : {},
    scan: read("node.session.scan") === "auto",
  });
}

function isInUse({ iscsi }: Call, text: string): boolean {
  const iface = readSetting(text, "iface.iscsi_ifacename");
  return iscsi.sessions.some(
    (each) => each.iqn === readSetting(text, "node.name") && each.iface === iface && each.portal === portalOf(text),
  );
}

function portalOf(text: string): string {
  const address = readSetting(text, "node.conn[0].address") ?? "";
  return `${address.includes(":") ? `[${address}]` : address}:${readSetting(text, "node.conn[0].port")}`;
}

/** iscsiadm removes the folders of what was the last record in them. */
function prune({ machine, database }: Call, path: string): void {
  for (let dir = path.slice(0, path.lastIndexOf("/")); dir.length > `${database}/nodes`.length; ) {
    if (machine.children(dir).length > 0) return;
    machine.delete(dir);
    dir = dir.slice(0, dir.lastIndexOf("/"));
  }
}

function record(lines: readonly string[]): string {
  return ["# BEGIN RECORD 2.1.8", ...lines, "# END RECORD", ""].join("\n");
}

function ended(exitCode: number, stderr = ""): RunResult {
  return { exitCode, stdout: "", stderr };
}
