import { deviceUsers } from "../block-devices/device-users.ts";
import { attachedDevice } from "../connectors/attached-device.ts";
import type { AttachedDevice } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import { Repairs, type RepairTable } from "../connectors/repairs.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { readAttribute } from "../host/kernel-files.ts";
import { waitFor } from "../host/wait-for.ts";
import { askAnew } from "./ask-anew.ts";
import { diagnoseIscsi, disksOf, type IscsiDefectCode, type IscsiDiagnosis, toIscsiError } from "./diagnose-iscsi.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import type { IscsiInitiator } from "./iscsi-initiator.ts";
import { login } from "./iscsi-login.ts";
import { logout } from "./iscsi-logout.ts";
import { deleteDisk, scanLun } from "./iscsi-scan.ts";
import type { IscsiSecrets } from "./iscsi-secrets.ts";
import { type IscsiDisk, type IscsiSession, isLive, readIscsiSessions } from "./iscsi-sysfs.ts";

/** What is done about a defect. */
type Repair =
  /** Makes a session. */
  | "login"
  /** Gives the daemon time: it gets lost sessions back by itself. */
  | "wait"
  /** Takes a dead device away, and looks for the LUN; only when nobody uses it. */
  | "remake"
  /** Ends the sessions and makes a new one, through whichever portal works; only when nobody uses their devices. */
  | "relogin";

const REPAIRS: RepairTable<IscsiDefectCode, Repair> = {
  NOT_CONNECTED: ["login"],
  CONNECTING: ["wait", "relogin"],
  NO_DEVICE: ["remake"],
  // It has been asked anew: it is another volume's, which may be just being staged.
  WRONG_DEVICE: [],
  AMBIGUOUS: [],
  PATH_LOST: [],
};

/** What an attach is about. */
export interface IscsiAttachRequest {
  readonly connection: IscsiConnection;
  readonly secrets: IscsiSecrets;
  /** Of the whole. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One attach: looks, repairs what can be repaired, and looks again. */
export class IscsiAttach {
  readonly #initiator: IscsiInitiator;
  readonly #host: Host;
  readonly #request: IscsiAttachRequest;
  readonly #deadline: number;
  readonly #repairs: Repairs<IscsiDefectCode, Repair> = new Repairs(REPAIRS);
  /** Disks whose identity this call has asked for: what the kernel showed before may be of another volume. */
  readonly #asked: Set<string> = new Set();
  /** Disks that this call made the kernel show: nobody else's. */
  readonly #made: Set<string> = new Set();

  constructor(initiator: IscsiInitiator, request: IscsiAttachRequest) {
    this.#initiator = initiator;
    this.#host = initiator.host;
    this.#request = request;
    this.#deadline = performance.now() + request.timeoutMs;
  }

  /** Gives the device once it is certainly the volume's; throws ConnectorError. */
  async run(): Promise<AttachedDevice> {
    const { connection, signal } = this.#request;
    for (;;) {
      const sessions = await readIscsiSessions(this.#host, connection);
      if (await this.#askAnew(sessions)) continue;
      const diagnosis = diagnoseIscsi(connection, sessions);
      const { code, disk } = diagnosis;
      if (code === "HEALTHY" || (code === "PATH_LOST" && disk !== undefined)) return this.#device(disk);
      const repair = this.#repairs.next(code);
      if (repair === undefined) {
        if (code === "WRONG_DEVICE") await this.#takeBack(sessions);
        throw toIscsiError({ ...diagnosis, code });
      }
      if (signal?.aborted === true || this.#leftMs === 0) throw toIscsiError({ ...diagnosis, code });
      await this.#repair(repair, sessions, diagnosis);
    }
  }

  /** Looks once at a disk that was there before, and makes it anew when it has become something else; whether it looked. */
  async #askAnew(sessions: readonly IscsiSession[]): Promise<boolean> {
    const { connection } = this.#request;
    const disks = disksOf(connection, sessions.filter(isLive));
    const disk = disks.find(({ name, state }) => state === "running" && !this.#asked.has(name));
    if (disk === undefined) return false;
    this.#asked.add(disk.name);
    const is = await askAnew(this.#host, connection, disk, () => this.#limits());
    if (is === "changed") await this.#remake(sessions);
    return true;
  }

  async #repair(repair: Repair, sessions: readonly IscsiSession[], diagnosis: IscsiDiagnosis): Promise<void> {
    const { connection, secrets } = this.#request;
    if (repair === "login") await login(this.#initiator, { connection, secrets, limits: () => this.#limits() });
    else if (repair === "wait") await this.#wait(diagnosis);
    else if (repair === "remake") await this.#remake(sessions);
    else await this.#relogin(sessions);
  }

  async #wait({ code }: IscsiDiagnosis): Promise<void> {
    const { connection } = this.#request;
    const changed = async (): Promise<true | undefined> => {
      const now = diagnoseIscsi(connection, await readIscsiSessions(this.#host, connection));
      return now.code === code ? undefined : true;
    };
    await waitFor(this.#host, changed, this.#settleLimits());
  }

  async #remake(sessions: readonly IscsiSession[]): Promise<void> {
    const { connection } = this.#request;
    const session = sessions.find(isLive);
    for (const disk of disksOf(connection, sessions)) {
      if ((await deviceUsers(this.#host, `/dev/${disk.name}`)).length > 0) return;
      await deleteDisk(this.#host, disk, this.#limits());
      this.#asked.delete(disk.name);
    }
    if (session === undefined) return;
    const found = async (): Promise<IscsiDisk | undefined> => {
      const [disk] = disksOf(connection, await readIscsiSessions(this.#host, connection));
      if (disk !== undefined) return disk;
      await scanLun(this.#host, session, connection.lun, this.#limits());
      return disksOf(connection, await readIscsiSessions(this.#host, connection))[0];
    };
    const disk = await waitFor(this.#host, found, this.#settleLimits());
    // It has just been asked for everything.
    if (disk === undefined) return;
    this.#asked.add(disk.name);
    this.#made.add(disk.name);
  }

  /** What this call found under the LUN's number and is another volume goes again, or no detach would end the session. */
  async #takeBack(sessions: readonly IscsiSession[]): Promise<void> {
    for (const disk of disksOf(this.#request.connection, sessions)) {
      if (!this.#made.has(disk.name) || (await deviceUsers(this.#host, `/dev/${disk.name}`)).length > 0) continue;
      await deleteDisk(this.#host, disk, this.#limits());
    }
  }

  async #relogin(sessions: readonly IscsiSession[]): Promise<void> {
    const users = await Promise.all(
      sessions.flatMap(({ disks }) => disks).map((disk) => deviceUsers(this.#host, `/dev/${disk.name}`)),
    );
    if (users.flat().length > 0) return;
    for (const session of sessions) {
      await logout(this.#initiator, this.#request.connection, session, () => this.#limits());
    }
  }

  async #device(disk: IscsiDisk | undefined): Promise<AttachedDevice> {
    if (disk === undefined)
      throw new ConnectorError(
        "FAILED",
        `the device of ${this.#request.connection.iqn} went while it was attached: repeat the call`,
      );
    await this.#requireNoMultipath(disk.name);
    return attachedDevice(this.#host, disk, this.#settleLimits());
  }

  /** multipathd takes disks as they appear, and then nobody else can mount them. */
  async #requireNoMultipath(name: string): Promise<void> {
    for (const holder of (await this.#host.files.list(`/sys/class/block/${name}/holders`)) ?? []) {
      const uuid = await readAttribute(this.#host, `/sys/class/block/${holder}/dm/uuid`);
      if (uuid?.startsWith("mpath-") !== true) continue;
      throw new ConnectorError(
        "IN_USE",
        `the host's multipathd holds ${name} as ${holder}: set "find_multipaths yes" or a blacklist for this target in /etc/multipath.conf, then multipath -f ${holder}`,
      );
    }
  }

  #limits(): CallOptions {
    return { timeoutMs: this.#leftMs, signal: this.#request.signal };
  }

  #settleLimits(): { readonly timeoutMs: number; readonly signal: AbortSignal | undefined } {
    return { timeoutMs: Math.min(this.#initiator.settleMs, this.#leftMs), signal: this.#request.signal };
  }

  get #leftMs(): number {
    return Math.max(0, this.#deadline - performance.now());
  }
}
