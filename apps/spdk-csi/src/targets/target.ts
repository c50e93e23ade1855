import {
  type CallArguments,
  type CallOptions,
  type ConnectionState,
  connect,
  isNoSuchDevice,
  type NvmfSubsystem,
  type SpdkClient,
  SpdkError,
  type SpdkMethod,
  type SpdkResult,
  SpdkRpcError,
} from "@org/spdk-rpc";

import type { Credentials, TargetConfig } from "../config/target-config.ts";
import { DriverError } from "../driver-error.ts";
import { attachBdevs } from "./attach-bdevs.ts";
import { type Lvol, toLvol } from "./lvol.ts";
import { type Lvstore, toLvstore } from "./lvstore.ts";
import { missingLvstores } from "./missing-lvstores.ts";
import { signOfLife } from "./sign-of-life.ts";
import { Silence } from "./silence.ts";

/** What is asked once for each connection, since a restart of the target may change it. */
export interface TargetFacts {
  /** The release of SPDK as one number that compares: 2405 is v24.05. */
  readonly release: number;
  /** The transports that are known to be there, in capitals, and those that are being made. */
  readonly transports: Map<string, Promise<unknown>>;
  /** The DH-HMAC-CHAP keys that were put into its keyring, by name. */
  readonly keys: Set<string>;
  /** The lvstores as they were at `lvstoresAt`, less what was taken since. */
  lvstores: readonly Lvstore[];
  lvstoresAt: number;
}

/** A target that is asked whether it is there is given so long to answer. */
const SIGN_TIMEOUT_MS = 10_000;

/** From this age on, lvstores are asked for again beside the next call that looks at them. */
const LVSTORES_FRESH_MS = 2_000;

/** One SPDK target: what the driver asks it, read into the driver's own types. */
export class Target {
  readonly name: string;
  readonly #rpcTimeoutMs: number;
  #config: TargetConfig;
  #learnt: Credentials | undefined;
  #client: SpdkClient;
  #silence: Silence;
  #facts: Promise<TargetFacts> | undefined;
  /** Every lvstore that was ever there, by uuid: one that is missing has not been loaded yet. */
  readonly #seen = new Map<string, string>();

  constructor(config: TargetConfig, rpcTimeoutMs: number) {
    this.name = config.name;
    this.#config = config;
    this.#rpcTimeoutMs = rpcTimeoutMs;
    this.#silence = this.#listen();
    this.#client = this.#open(this.#onStateChange());
  }

  get config(): TargetConfig {
    return this.#config;
  }

  /** Takes over a changed configuration; calls that are under way end on the old connection. */
  configure(config: TargetConfig): void {
    const { rpcUrl, credentials, tls } = this.#config;
    this.#config = config;
    if (config.rpcUrl !== rpcUrl) this.#seen.clear();
    const isSame =
      JSON.stringify([config.rpcUrl, config.credentials, config.tls]) === JSON.stringify([rpcUrl, credentials, tls]);
    if (!isSame) this.#reopen();
  }

  /** Takes the credentials of a request where the configuration has none; later calls go on with them. */
  offer(credentials: Credentials): void {
    if (this.#config.credentials !== undefined) return;
    if (this.#learnt?.username === credentials.username && this.#learnt.password === credentials.password) return;
    this.#learnt = credentials;
    this.#reopen();
  }

  #open(onStateChange: (state: ConnectionState) => void): SpdkClient {
    const { rpcUrl, tls, credentials = this.#learnt } = this.#config;
    return connect(rpcUrl, {
      ...credentials,
      ...(tls && { tls }),
      timeoutMs: this.#rpcTimeoutMs,
      // A dead target is told of at once: whoever calls the driver calls again.
      reconnect: { attempts: 1 },
      onStateChange,
    });
  }

  /** Forgets with a connection what was asked on it. */
  #onStateChange(): (state: ConnectionState) => void {
    let wasConnected = false;
    return ({ status }) => {
      if (wasConnected && status !== "connected") this.#facts = undefined;
      wasConnected = status === "connected";
    };
  }

  #reopen(): void {
    const old = this.#client;
    void old.settled().then(() => old.close());
    this.#facts = undefined;
    this.#silence = this.#listen();
    this.#client = this.#open(this.#onStateChange());
  }

  /**
   * Gives the connection up, since a request on it gets no answer: what was sent may still be carried out, so whoever goes
   * on reads first how it stands.
   */
  async abandon(): Promise<void> {
    const old = this.#client;
    this.#reopen();
    await old.close();
  }

  /** Closes the connection; later calls fail. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Waits until every request that was sent has been answered or its connection is gone. */
  async settled(): Promise<void> {
    await this.#client.settled();
  }

  /** Throws TARGET_UNAVAILABLE while the target has said nothing for seconds although it was asked. */
  assertHeard(): void {
    this.#silence.assertHeard();
  }

  #listen(): Silence {
    const silence: Silence = new Silence({
      ask: () => this.#askForSign(silence),
      toError: (silentMs) =>
        new DriverError(
          "TARGET_UNAVAILABLE",
          `target "${this.name}" has not answered for ${Math.round(silentMs / 1000)} s: see whether it runs; the call can be repeated`,
        ),
    });
    return silence;
  }

  /** Over HTTP a question would wait behind the request that takes so long, so it has a connection of its own. */
  #askForSign(silence: Silence): void {
    const client = /^https?:/i.test(this.#config.rpcUrl) ? this.#open(() => undefined) : this.#client;
    const ended = (error?: unknown): void => {
      if (error === undefined || signOfLife(error) !== "none") silence.heard();
      if (client !== this.#client) void client.close();
    };
    client.call("spdk_get_version", undefined, { timeoutMs: SIGN_TIMEOUT_MS }).then(() => ended(), ended);
  }

  /**
   * Calls a method; what is called without a pause in between is written at once, in the order of the calls. What goes
   * wrong says on which target and object: of many, an operator has to find the one.
   */
  async call<M extends SpdkMethod>(method: M, ...args: CallArguments<M>): Promise<SpdkResult<M>> {
    return this.#watch(args[0], () => this.#client.call(method, ...args));
  }

  /** Calls a method with parameters of the config, which only the target itself can judge. */
  async callUnchecked(method: string, params: object): Promise<unknown> {
    return this.#watch(params, () => this.#client.call(method, { ...params }));
  }

  async #watch<T>(params: object | undefined, send: () => Promise<T>): Promise<T> {
    this.#silence.assertHeard();
    try {
      return await this.#silence.whileHeard(send(), signOfLife);
    } catch (error) {
      // The error is this call's own; its class, code and words stay for whoever decides by them.
      if (error instanceof SpdkError) error.message = `target "${this.name}"${about(params)}: ${error.message}`;
      throw error;
    }
  }

  /** What is known since the connection was made; the first call after a loss asks, and attaches the base bdevs again. */
  facts(): Promise<TargetFacts> {
    if (this.#facts !== undefined) return this.#facts;
    const facts = this.#readFacts();
    facts.catch(() => {
      if (this.#facts === facts) this.#facts = undefined;
    });
    this.#facts = facts;
    return facts;
  }

  async #readFacts(): Promise<TargetFacts> {
    await attachBdevs(this);
    const [{ fields }, transports, lvstores] = await Promise.all([
      this.call("spdk_get_version"),
      this.call("nvmf_get_transports"),
      this.call("bdev_lvol_get_lvstores"),
    ]);
    return {
      release: fields.major * 100 + fields.minor,
      transports: new Map(transports.map(({ trtype }) => [trtype.toUpperCase(), Promise.resolve()])),
      keys: new Set(),
      lvstores: this.#see(lvstores.map(toLvstore)),
      lvstoresAt: performance.now(),
    };
  }

  #see(lvstores: readonly Lvstore[]): readonly Lvstore[] {
    for (const { uuid, name } of lvstores) this.#seen.set(uuid, name);
    return lvstores;
  }

  /** Asks for the lvstores that take volumes; throws TARGET_UNAVAILABLE while one that should be there is missing. */
  async lvstores(options?: CallOptions): Promise<readonly Lvstore[]> {
    const facts = await this.facts();
    const answer = await this.call("bdev_lvol_get_lvstores", undefined, options);
    facts.lvstores = this.#see(answer.map(toLvstore));
    facts.lvstoresAt = performance.now();
    return this.#taking(facts.lvstores);
  }

  /** The same from memory; space that is seconds old is asked for again meanwhile, for the next call. */
  async recentLvstores(): Promise<readonly Lvstore[]> {
    const facts = await this.facts();
    if (performance.now() - facts.lvstoresAt > LVSTORES_FRESH_MS) {
      facts.lvstoresAt = performance.now();
      this.lvstores().catch(() => undefined);
    }
    return this.#taking(facts.lvstores);
  }

  /** Remembers that space was taken, until the target is asked again. */
  async tookSpace(lvstore: string, bytes: bigint): Promise<void> {
    const facts = await this.facts();
    facts.lvstores = facts.lvstores.map((store) =>
      store.name === lvstore ? { ...store, freeBytes: store.freeBytes > bytes ? store.freeBytes - bytes : 0n } : store,
    );
  }

  #taking(lvstores: readonly Lvstore[]): readonly Lvstore[] {
    const wanted = this.#config.lvstores;
    const missing = missingLvstores(lvstores, wanted, this.#seen);
    if (missing !== undefined) {
      // The next call attaches the base bdevs again: behind an HTTP proxy nobody sees that the target was restarted.
      this.#facts = undefined;
      throw new DriverError("TARGET_UNAVAILABLE", `target "${this.name}" ${missing}`);
    }
    return wanted === undefined ? lvstores : lvstores.filter(({ name }) => wanted.includes(name));
  }

  /** The lvol with this uuid or alias (`bdev_get_bdevs`); undefined when the target says that it has none. */
  async findLvol(name: string, options?: CallOptions): Promise<Lvol | undefined> {
    await this.facts();
    try {
      const [bdev] = await this.call("bdev_get_bdevs", { name }, options);
      return bdev === undefined ? undefined : toLvol(bdev);
    } catch (error) {
      if (isNoSuchDevice(error)) return undefined;
      throw error;
    }
  }

  /**
   * Makes sure that an lvol that was not found is not there. Throws TARGET_UNAVAILABLE while an lvstore is missing, on
   * which it may still be, and CONFLICT when it has turned up.
   */
  async assertAbsent(uuid: string): Promise<void> {
    for (let facts: TargetFacts | undefined; facts !== (await this.facts()); ) {
      facts = await this.facts();
      const lvol = await this.findLvol(uuid);
      if (lvol !== undefined) {
        const what = `lvol ${lvol.alias} turned up while target "${this.name}" was coming back`;
        throw new DriverError("CONFLICT", `${what}; the call can be repeated`);
      }
      // Asked on one connection, or the target may have been started anew in between.
      await this.lvstores();
    }
  }

  /** Every lvol of the target, snapshots included. */
  async lvols(options?: CallOptions): Promise<Lvol[]> {
    await this.facts();
    const bdevs = await this.call("bdev_get_bdevs", undefined, options);
    return bdevs.flatMap((bdev) => toLvol(bdev) ?? []);
  }

  /** The names and uuids of every lvol; much cheaper for a target of v23.05 or later than {@link Target.lvols}. */
  async lvolNames(): Promise<readonly { readonly uuid: string; readonly name: string }[]> {
    const { release } = await this.facts();
    return release >= 2305 ? this.call("bdev_lvol_get_lvols") : this.lvols();
  }

  /** Every NVMe-oF subsystem. */
  async subsystems(options?: CallOptions): Promise<readonly NvmfSubsystem[]> {
    await this.facts();
    return this.call("nvmf_get_subsystems", undefined, options);
  }

  /** The subsystem with this NQN, if there is one. */
  async findSubsystem(nqn: string, options?: CallOptions): Promise<NvmfSubsystem | undefined> {
    await this.facts();
    try {
      return (await this.call("nvmf_get_subsystems", { nqn }, options)).find((subsystem) => subsystem.nqn === nqn);
    } catch (error) {
      if (isNoSuchDevice(error)) return undefined;
      if (!(error instanceof SpdkRpcError)) throw error;
      // Words that nobody has recorded: the whole list leaves no doubt.
      return (await this.subsystems(options)).find((subsystem) => subsystem.nqn === nqn);
    }
  }
}

/** The object of a call, by its parameters. */
function about(params: object | undefined): string {
  const given: Readonly<Record<string, unknown>> = { ...params };
  const object = given["nqn"] ?? given["name"] ?? given["lvol_name"] ?? given["snapshot_name"];
  return typeof object === "string" ? `, ${object}` : "";
}
