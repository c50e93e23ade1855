import {
  type CallOptions,
  type ConnectionState,
  connect,
  type SpdkClient,
  SpdkError,
  SpdkRpcError,
  SpdkTimeoutError,
} from "@org/spdk-rpc";

import type { Credentials, TargetConfig } from "../config/target-config.ts";
import { DriverError } from "../driver-error.ts";
import { signOfLife } from "./sign-of-life.ts";
import { Silence } from "./silence.ts";
import { within } from "./within.ts";

/** A target that is asked whether it is there is given so long to answer. */
const SIGN_TIMEOUT_MS = 5_000;

/** When a new connection has been answered, the one in use is given so long: a target serves all of them in turn. */
const SAME_SIGN_MS = 1_000;

/** So many connections may wait for answers that are late: a target takes 64. */
const MAX_REPLACED = 8;

/** After so many times what a call may take, the answer to a delete counts as lost, as a proxy may lose it. */
const LOST_AFTER = 20;

/** What a target does not survive a second time while the first is under way. */
const DELETES = ["bdev_lvol_delete", "nvmf_delete_subsystem"];

/** What a connection is made with. */
export interface TargetConnectionOptions {
  /** For each call, in milliseconds. */
  readonly rpcTimeoutMs: number;
  /** Told when the connection was lost or given up: what was asked on it may not be so any more. */
  readonly onLost: () => void;
}

/** A delete that has not been answered. */
interface Dying {
  /** The connection on which it was sent. */
  readonly client: SpdkClient;
  /** From then on the answer counts as lost. */
  readonly until: number;
}

/** Where a target is reached. */
type Address = Pick<TargetConfig, "name" | "rpcUrl" | "credentials" | "tls">;

/**
 * The connection to a target: opened by the first call, and again after a loss. One on which nothing is answered any more
 * is replaced, but closed only when its requests have been waited for: they may still be carried out.
 */
export class TargetConnection {
  readonly #options: TargetConnectionOptions;
  /** Connections that were replaced and still have requests without an answer, oldest first. */
  readonly #replaced = new Set<SpdkClient>();
  /** Connections of one call each. */
  readonly #aside = new Set<SpdkClient>();
  /** Objects whose delete was sent and has not been answered. */
  readonly #dying = new Map<string, Dying>();
  #address: Address;
  #learnt: Credentials | undefined;
  #client: SpdkClient;
  #silence: Silence;
  #isAsking = false;

  constructor(address: Address, options: TargetConnectionOptions) {
    this.#address = address;
    this.#options = options;
    this.#silence = this.#listen();
    this.#client = this.#open(this.#onStateChange());
  }

  /** Goes on with another address or other credentials; calls that are under way end on the old connection. */
  configure(address: Address): void {
    const before = this.#address;
    this.#address = address;
    const parts = ({ rpcUrl, credentials, tls }: Address): string => JSON.stringify([rpcUrl, credentials, tls]);
    if (parts(address) === parts(before)) return;
    this.#reopen();
    this.#options.onLost();
  }

  /** Takes the credentials of a request where the configuration has none; later calls go on with them. */
  offer(credentials: Credentials): void {
    if (this.#address.credentials !== undefined) return;
    if (this.#learnt?.username === credentials.username && this.#learnt.password === credentials.password) return;
    this.#learnt = credentials;
    this.#reopen();
  }

  #open(onStateChange: (state: ConnectionState) => void): SpdkClient {
    const { rpcUrl, tls, credentials = this.#learnt } = this.#address;
    return connect(rpcUrl, {
      ...credentials,
      ...(tls && { tls }),
      timeoutMs: this.#options.rpcTimeoutMs,
      // A dead target is told of at once: whoever calls the driver calls again.
      reconnect: { attempts: 1 },
      onStateChange,
    });
  }

  #onStateChange(): (state: ConnectionState) => void {
    const silence = this.#silence;
    let wasConnected = false;
    return ({ status }) => {
      const isCurrent = silence === this.#silence;
      if (isCurrent && wasConnected && status !== "connected") this.#options.onLost();
      wasConnected = status === "connected";
    };
  }

  /** Later calls go over a new connection; those under way end on the old one. What is known of the target stays. */
  #reopen(): void {
    const old = this.#client;
    this.#replaced.add(old);
    void old.settled().then(() => this.#drop(old));
    // While a delete may still be answered on it, a connection is kept.
    const awaited = new Set([...this.#dying.values()].map(({ client }) => client));
    const dispensable = [...this.#replaced].find((client) => !awaited.has(client));
    if (this.#replaced.size > MAX_REPLACED && dispensable !== undefined) void this.#drop(dispensable);
    this.#silence = this.#listen();
    this.#client = this.#open(this.#onStateChange());
  }

  async #drop(replaced: SpdkClient): Promise<void> {
    this.#replaced.delete(replaced);
    await replaced.close();
  }

  /** Closes the connection; later calls fail. */
  async close(): Promise<void> {
    await Promise.all([this.#client, ...this.#replaced, ...this.#aside].map((client) => client.close()));
  }

  /**
   * Waits until every request that was sent has been answered or its connection is gone, but no longer than a call may
   * take: targets leave some without an answer for ever.
   */
  async settled(): Promise<void> {
    const all = Promise.all([this.#client, ...this.#replaced].map((client) => client.settled()));
    await within(all, this.#options.rpcTimeoutMs, undefined);
  }

  /** Lvols and subsystems whose delete was sent and has not been answered yet, on a connection that still stands. */
  get dying(): readonly string[] {
    for (const [object, { until }] of this.#dying) if (until < performance.now()) this.#dying.delete(object);
    return [...this.#dying.keys()];
  }

  /** Says that the object is gone, whatever became of the answer. */
  isGone(object: string): void {
    this.#dying.delete(object);
  }

  /** Throws TARGET_UNAVAILABLE while the target has said nothing for seconds although it was asked. */
  assertHeard(): void {
    this.#silence.assertHeard();
  }

  #listen(): Silence {
    const silence: Silence = new Silence({
      ask: () => void this.#askForSign(silence),
      toError: (silentMs) =>
        new DriverError(
          "TARGET_UNAVAILABLE",
          `target "${this.#address.name}" has not answered for ${Math.round(silentMs / 1000)} s: see whether it runs; the call can be repeated`,
        ),
    });
    return silence;
  }

  get #isHttp(): boolean {
    return /^https?:/i.test(this.#address.rpcUrl);
  }

  /**
   * Asks on a connection of its own: over HTTP a question would wait behind the request that takes so long, and a TCP
   * connection may have died without a word. If the one in use does not answer as well, it has.
   */
  async #askForSign(silence: Silence): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      await this.#compareSigns(silence);
    } finally {
      this.#isAsking = false;
    }
  }

  async #compareSigns(silence: Silence): Promise<void> {
    const client = this.#client;
    const fresh = this.#open(() => undefined);
    const onOld = this.#isHttp ? Promise.resolve(true) : hasAnswered(client);
    const onFresh = await hasAnswered(fresh);
    await fresh.close();
    if (!onFresh) return;
    if (await within(onOld, SAME_SIGN_MS, false)) {
      silence.heard();
    } else if (client === this.#client) {
      this.#reopen();
      this.#options.onLost();
      silence.giveUp();
    }
  }

  /** Whether a request was sent that gets no answer: over HTTP all others would wait behind it. */
  #isStuck(error: unknown, options: CallOptions = {}): boolean {
    if (!(error instanceof SpdkTimeoutError && error.maybeExecuted)) return false;
    return this.#isHttp || options.timeoutMs === undefined;
  }

  /**
   * Calls a method; what is called without a pause in between is written at once, in the order of the calls. What goes
   * wrong says on which target and object: of many, an operator has to find the one.
   */
  async call(method: string, params?: object, options?: CallOptions): Promise<unknown> {
    this.#silence.assertHeard();
    const client = this.#client;
    const dying = DELETES.includes(method) ? objectOf(params) : undefined;
    try {
      if (dying !== undefined) {
        this.#dying.set(dying, { client, until: performance.now() + LOST_AFTER * this.#options.rpcTimeoutMs });
      }
      const answer = client.call(method, params === undefined ? undefined : { ...params }, options);
      const result = await this.#silence.whileHeard<unknown>(answer, signOfLife);
      if (dying !== undefined) this.#dying.delete(dying);
      return result;
    } catch (error) {
      if (dying !== undefined) void this.#untilAnswered(client, error).then(() => this.#survived(dying, client));
      if (client === this.#client && this.#isStuck(error, options)) this.#reopen();
      throw this.#explained(error, objectOf(params));
    }
  }

  /** Calls a method over a connection of its own. */
  async callAside(method: string, params: object | undefined, options: CallOptions): Promise<unknown> {
    this.#silence.assertHeard();
    const client = this.#open(() => undefined);
    this.#aside.add(client);
    try {
      return await client.call(method, params === undefined ? undefined : { ...params }, options);
    } catch (error) {
      throw this.#explained(error, objectOf(params));
    } finally {
      this.#aside.delete(client);
      void client.close();
    }
  }

  /** The error is the call's own; its class, code and words stay for whoever decides by them. */
  #explained(error: unknown, object: string | undefined): unknown {
    if (error instanceof SpdkError) {
      error.message = `target "${this.#address.name}"${object === undefined ? "" : `, ${object}`}: ${error.message}`;
    }
    return error;
  }

  async #untilAnswered(client: SpdkClient, error: unknown): Promise<void> {
    if (!(error instanceof SpdkRpcError)) await client.settled();
  }

  #survived(object: string, client: SpdkClient): void {
    if (this.#dying.get(object)?.client === client) this.#dying.delete(object);
  }
}

/** The object of a call, by its parameters. */
function objectOf(params: object | undefined): string | undefined {
  for (const key of ["nqn", "name", "lvol_name", "snapshot_name"]) {
    const object: unknown = params === undefined ? undefined : Reflect.get(params, key);
    if (typeof object === "string") return object;
  }
  return undefined;
}

async function hasAnswered(client: SpdkClient): Promise<boolean> {
  try {
    await client.call("spdk_get_version", undefined, { timeoutMs: SIGN_TIMEOUT_MS });
    return true;
  } catch (error) {
    return signOfLife(error) !== "none";
  }
}
