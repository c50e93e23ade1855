import type { RunResult } from "../host/host.ts";
import type { FakeContent } from "./fake-device.ts";
import type { FakeKernelPart, FakeMachine } from "./fake-machine.ts";

/** A LUN of a fake target. Fields may be changed at any time; hosts see it after a rescan. */
export interface FakeIscsiLun {
  readonly lun: number;
  wwid: string;
  /** VPD page 0x80. */
  serial: string;
  sizeBytes: bigint;
  content: FakeContent;
}

/** An iSCSI target that the fake's initiator can log in to. Fields may be changed at any time. */
export interface FakeIscsiTarget {
  readonly iqn: string;
  /** "address:port" of each portal; an IPv6 address in brackets. */
  portals: readonly string[];
  luns: readonly FakeIscsiLun[];
  /** Initiator names that are let in; undefined: any. */
  initiators: readonly string[] | undefined;
  /** What CHAP asks for; undefined: nothing. */
  chap: FakeChap | undefined;
  /** False: nobody answers, and sessions are lost until it is true again. */
  up: boolean;
}

/** CHAP's names and passwords; the last two are the target's own. */
export interface FakeChap {
  readonly username: string;
  readonly password: string;
  readonly usernameIn?: string;
  readonly passwordIn?: string;
}

/** A login, as the fake's daemon is asked for it. */
export interface FakeLogin {
  readonly iqn: string;
  readonly portal: string;
  readonly iface: string;
  readonly initiatorName: string;
  readonly chap: Partial<FakeChap>;
  /** Whether every LUN appears by itself. */
  readonly scan: boolean;
}

/** A session of the fake. */
export interface FakeIscsiSession extends FakeLogin {
  readonly id: number;
  readonly target: FakeIscsiTarget;
  readonly disks: FakeIscsiDisk[];
}

/** A disk as the fake's kernel remembers it. */
interface FakeIscsiDisk {
  readonly name: string;
  readonly lun: number;
  wwid: string;
  serial: string;
  state: string;
}

const DONE: RunResult = { exitCode: 0, stdout: "", stderr: "" };
const SESSIONS = "/sys/class/iscsi_session";

/** The kernel's side of the fake's iSCSI initiator, and its daemon. */
export class FakeIscsi implements FakeKernelPart {
  readonly targets: FakeIscsiTarget[] = [];
  sessions: FakeIscsiSession[] = [];
  /** Whether iscsid runs. */
  daemon = true;
  /** Where iscsiadm keeps its records, below the root that it is run in. */
  database: "/etc/iscsi" | "/var/lib/iscsi" = "/etc/iscsi";
  readonly #machine: FakeMachine;
  #lastId = 0;

  constructor(machine: FakeMachine) {
    this.#machine = machine;
  }

  /** Logs in; the exit code that iscsiadm ends with. */
  login(request: FakeLogin): number {
    const { iqn, portal, iface, initiatorName, chap } = request;
    if (this.sessions.some((each) => each.iqn === iqn && each.iface === iface)) return 15;
    const target = this.targets.find((each) => each.up && each.iqn === iqn && each.portals.includes(portal));
    if (target === undefined) return 8;
    if (target.initiators?.includes(initiatorName) === false) return 24;
    if (Object.entries(target.chap ?? {}).some(([name, value]) => chap[name as keyof FakeChap] !== value)) return 24;
    const session: FakeIscsiSession = { ...request, id: ++this.#lastId, target, disks: [] };
    this.sessions.push(session);
    if (request.scan) for (const { lun } of target.luns) this.#scan(session, lun);
    return 0;
  }

  /** Logs out. */
  logout(session: FakeIscsiSession): void {
    for (const disk of session.disks) this.#machine.removeDevice(`/dev/${disk.name}`);
    this.sessions = this.sessions.filter((each) => each !== session);
  }

  /** What a reboot leaves: records and targets. */
  reset(): void {
    for (const session of this.sessions) this.logout(session);
  }

  files(): Readonly<Record<string, string>> {
    const files: Record<string, string> = {};
    const show = (dir: string, attributes: Readonly<Record<string, string | number>>): void => {
      for (const [name, value] of Object.entries(attributes)) files[`${dir}/${name}`] = `${value}\n`;
    };
    for (const session of this.sessions) {
      const { id, iqn, initiatorName, iface } = session;
      const state = isUp(session) ? "LOGGED_IN" : "FAILED";
      const names = { targetname: iqn, initiatorname: initiatorName, ifacename: iface };
      show(`${SESSIONS}/session${id}`, { ...names, state, target_id: 0 });
      show(`/sys/class/iscsi_host/host${id}/device/session${id}`, { uevent: "" });
      for (const disk of session.disks) {
        const device = this.#machine.devices.get(`/dev/${disk.name}`);
        const dir = diskDir(session, disk.lun);
        show(dir, { state: isUp(session) ? disk.state : "blocked", wwid: disk.wwid, delete: "", rescan: "" });
        show(dir, { vpd_pg80: `\0\u{fffd}\0${String.fromCharCode(disk.serial.length)}${disk.serial}` });
        const block = { dev: device?.deviceNumber ?? "", size: String((device?.sizeBytes ?? 0n) / 512n) };
        show(`${dir}/block/${disk.name}`, block);
      }
    }
    return files;
  }

  write(path: string, input: string): RunResult | undefined {
    const text = input.trim();
    const scanned = this.sessions.find(({ id }) => path === `/sys/class/scsi_host/host${id}/scan`);
    if (scanned !== undefined) {
      this.#scan(scanned, Number(text.split(" ")[2]));
      return DONE;
    }
    for (const session of this.sessions) {
      const disk = session.disks.find(({ lun }) => path.startsWith(`${diskDir(session, lun)}/`));
      if (disk === undefined) continue;
      if (path.endsWith("/delete")) {
        session.disks.splice(session.disks.indexOf(disk), 1);
        this.#machine.removeDevice(`/dev/${disk.name}`);
      } else if (path.endsWith("/state")) {
        disk.state = text;
      } else if (!isUp(session)) {
        return { exitCode: 1, stdout: "", stderr: `tee: ${path}: Input/output error` };
      } else {
        this.#ask(session, disk);
      }
      return DONE;
    }
    return undefined;
  }

  /** The disk of a LUN, for a test to change. */
  disk(iqn: string, lun: number): FakeIscsiDisk | undefined {
    return this.sessions.find((each) => each.iqn === iqn)?.disks.find((each) => each.lun === lun);
  }

  /** A LUN that is not exported keeps its identity in the kernel; its size goes. */
  #ask(session: FakeIscsiSession, disk: FakeIscsiDisk): void {
    const found = lunOf(session, disk.lun);
    const device = this.#machine.devices.get(`/dev/${disk.name}`);
    if (device !== undefined) device.sizeBytes = found?.sizeBytes ?? 0n;
    if (found === undefined) return;
    disk.wwid = found.wwid;
    disk.serial = found.serial;
  }

  #scan(session: FakeIscsiSession, lun: number): void {
    const found = lunOf(session, lun);
    if (found === undefined || !isUp(session) || session.disks.some((each) => each.lun === lun)) return;
    const letters = Array.from("abcdefghijklmnopqrstuvwxyz");
    const letter = letters.find((each) => this.#machine.get(`/dev/sd${each}`) === undefined);
    const name = `sd${letter ?? "z"}`;
    session.disks.push({ name, lun, wwid: found.wwid, serial: found.serial, state: "running" });
    const device = this.#machine.addDevice(`/dev/${name}`, found.sizeBytes);
    let broken = false;
    // What is written stays with the target when the device goes, and goes to whatever the LUN is by then.
    Object.defineProperties(device, {
      content: {
        get: () => lunOf(session, lun)?.content ?? { kind: "blank" },
        set: (content: FakeContent) => {
          const now = lunOf(session, lun);
          if (now !== undefined) now.content = content;
        },
      },
      broken: {
        get: () => broken || !isUp(session) || lunOf(session, lun) === undefined,
        set: (value: boolean) => {
          broken = value;
        },
      },
    });
  }
}

function isUp({ target, portal }: FakeIscsiSession): boolean {
  return target.up && target.portals.includes(portal);
}

function lunOf({ target }: FakeIscsiSession, lun: number): FakeIscsiLun | undefined {
  return target.luns.find((each) => each.lun === lun);
}

function diskDir({ id }: FakeIscsiSession, lun: number): string {
  return `${SESSIONS}/session${id}/device/target${id}:0:0/${id}:0:0:${lun}`;
}
