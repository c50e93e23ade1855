import { attachedDevice } from "../connectors/attached-device.ts";
import type { AttachedDevice } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import { Repairs, type RepairTable } from "../connectors/repairs.ts";
import type { Host } from "../host/host.ts";
import { waitFor } from "../host/wait-for.ts";
import { connectPortals } from "./connect-portals.ts";
import { missingPortals, type NvmeDefectCode } from "./diagnose-nvme.ts";
import type { NvmeConnection } from "./nvme-connection.ts";
import { ensureFabrics } from "./nvme-fabrics.ts";
import type { NvmeSecrets } from "./nvme-secrets.ts";
import { deleteControllers, type NvmeSession, namespaceUsers, readSession, rescanControllers } from "./nvme-session.ts";
import { hasNativeMultipath } from "./nvme-sysfs.ts";
import { insertTlsPsk } from "./tls-psk.ts";

/** What is done about a defect. */
type Repair =
  /** Makes the sessions that are missing. */
  | "connect"
  /** Gives the kernel time: it scans, or reconnects, by itself. */
  | "wait"
  /** Makes the kernel look at the namespaces anew. */
  | "rescan"
  /** Ends the session and makes a new one; only when nobody uses the device. */
  | "reconnect";

const REPAIRS: RepairTable<NvmeDefectCode, Repair> = {
  NOT_CONNECTED: ["connect"],
  CONNECTING: ["wait", "reconnect"],
  NO_DEVICE: ["wait", "rescan", "reconnect"],
  WRONG_DEVICE: ["rescan"],
  PATH_LOST: ["connect"],
  AMBIGUOUS: [],
};

/** What an attach is about. */
export interface NvmeAttachRequest {
  readonly connection: NvmeConnection;
  readonly secrets: NvmeSecrets;
  readonly settleMs: number;
  readonly pathGraceMs: number;
  /** Of the whole. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Keeps the next call for this subsystem waiting until something has settled. */
  readonly hold: (settled: Promise<unknown>) => void;
}

/** One attach: looks, repairs what can be repaired, and looks again. */
export class NvmeAttach {
  readonly #host: Host;
  readonly #request: NvmeAttachRequest;
  readonly #deadline: number;
  readonly #repairs: Repairs<NvmeDefectCode, Repair> = new Repairs(REPAIRS);
  /** Whether the session is this call's: there was none before. */
  #isOwn = false;
  /** Why connecting failed, if it did: it tells more than that there is no controller. */
  #failure: ConnectorError | undefined;

  constructor(host: Host, request: NvmeAttachRequest) {
    this.#host = host;
    this.#request = request;
    this.#deadline = performance.now() + request.timeoutMs;
  }

  /** Gives the device once it is certainly the volume's; throws ConnectorError. */
  async run(): Promise<AttachedDevice> {
    let session = await this.#look();
    for (;;) {
      const { code, what } = session.diagnosis;
      if (code === "HEALTHY") return this.#device(session);
      const isOver = this.#leftMs === 0 || this.#request.signal?.aborted === true;
      const repair = isOver ? undefined : this.#repairs.next(code);
      if (repair === undefined && code === "PATH_LOST") return this.#device(session);
      if (repair === undefined) {
        await this.#takeBack(session);
        throw this.#failure ?? new ConnectorError(code, what);
      }
      session = await this.#do(repair, session);
    }
  }

  #look(): Promise<NvmeSession> {
    return readSession(this.#host, this.#request.connection);
  }

  /** Gives the session as it is then. */
  async #do(repair: Repair, session: NvmeSession): Promise<NvmeSession> {
    const { signal } = this.#request;
    if (repair === "connect") return this.#connect(session);
    if (repair === "rescan")
      await rescanControllers(this.#host, session.controllers, { timeoutMs: this.#leftMs, signal });
    if (repair === "reconnect") return this.#reconnect(session);
    return this.#settle(session);
  }

  async #connect(session: NvmeSession): Promise<NvmeSession> {
    const host = this.#host;
    const { connection, secrets, pathGraceMs, signal } = this.#request;
    const limits = { timeoutMs: this.#leftMs, signal };
    await ensureFabrics(host, connection.transport, limits);
    if (connection.tls === true) await this.#giveTlsKey();
    // Asked again: it is known once the module is loaded.
    const multipath = await hasNativeMultipath(host);
    const portals = missingPortals(connection, session.controllers);
    const hasPath = session.controllers.some(({ state }) => state === "live");
    const result = await connectPortals(
      host,
      { connection, portals, secrets, multipath, graceMs: pathGraceMs, hasPath },
      limits,
    );
    this.#request.hold(result.settled);
    if (session.controllers.length === 0 && result.connected > 0) this.#isOwn = true;
    this.#failure = result.connected === 0 ? result.failures[0] : undefined;
    return result.connected > 0 ? this.#settle(session) : this.#look();
  }

  async #giveTlsKey(): Promise<void> {
    const { connection, secrets, signal } = this.#request;
    if (secrets.tlsPsk === undefined) {
      throw new ConnectorError(
        "AUTHENTICATION_FAILED",
        `${connection.nqn} is to be reached by TLS: give the secret tlsPsk`,
      );
    }
    await insertTlsPsk(this.#host, secrets.tlsPsk, connection, { timeoutMs: this.#leftMs, signal });
  }

  /** A session of a target that forgot it, or with keys that have changed, comes back only as a new one. */
  async #reconnect(session: NvmeSession): Promise<NvmeSession> {
    if ((await namespaceUsers(this.#host, session.namespaces)).length > 0) return this.#look();
    const { signal } = this.#request;
    await deleteControllers(this.#host, session.controllers, { timeoutMs: this.#leftMs, signal });
    this.#repairs.allow("NOT_CONNECTED", "connect");
    return this.#look();
  }

  /** A session that this call made, and that does not show the volume, would be nobody's. */
  async #takeBack({ diagnosis: { code }, controllers, namespaces }: NvmeSession): Promise<void> {
    const isUseless = code === "NO_DEVICE" || code === "WRONG_DEVICE";
    if (!this.#isOwn || !isUseless || (await namespaceUsers(this.#host, namespaces)).length > 0) return;
    await deleteControllers(this.#host, controllers, { signal: this.#request.signal });
  }

  /** Waits until the diagnosis is another one, or the device is there. */
  async #settle({ diagnosis }: NvmeSession): Promise<NvmeSession> {
    const { settleMs, signal } = this.#request;
    const changed = async (): Promise<NvmeSession | undefined> => {
      const session = await this.#look();
      const { code } = session.diagnosis;
      return code !== diagnosis.code && code !== "NO_DEVICE" ? session : undefined;
    };
    const limits = { timeoutMs: Math.min(settleMs, this.#leftMs), signal };
    return (await waitFor(this.#host, changed, limits)) ?? this.#look();
  }

  async #device({ diagnosis: { namespace } }: NvmeSession): Promise<AttachedDevice> {
    if (namespace === undefined)
      throw new ConnectorError(
        "FAILED",
        `the device of ${this.#request.connection.nqn} went while it was attached: repeat the call`,
      );
    const { settleMs, signal } = this.#request;
    return attachedDevice(this.#host, namespace, { timeoutMs: Math.min(settleMs, this.#leftMs), signal });
  }

  get #leftMs(): number {
    return Math.max(0, this.#deadline - performance.now());
  }
}
