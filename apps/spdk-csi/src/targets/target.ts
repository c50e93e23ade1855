import {
  type CallArguments,
  type CallOptions,
  isNoSuchDevice,
  type NvmfSubsystem,
  type SpdkMethod,
  type SpdkResult,
  SpdkRpcError,
  SpdkTimeoutError,
} from "@org/spdk-rpc";

import type { Credentials, TargetConfig } from "../config/target-config.ts";
import { DriverError } from "../driver-error.ts";
import { BaseBdevs } from "./base-bdevs.ts";
import { isUnavailable } from "./is-unavailable.ts";
import { type Lvol, toLvol } from "./lvol.ts";
import { type Lvstore, toLvstore } from "./lvstore.ts";
import { missingLvstores } from "./missing-lvstores.ts";
import { TargetConnection } from "./target-connection.ts";
import { within } from "./within.ts";

/** What is asked once for each connection, since a restart of the target may change it. */
export interface TargetFacts {
  /** The release of SPDK as one number that compares: 2405 is v24.05. */
  readonly release: number;
  /** The transports that are known to be there, in capitals, and those that are being made. */
  readonly transports: Map<string, Promise<unknown>>;
  /** The DH-HMAC-CHAP keys that were put into its keyring, by name. */
  readonly keys: Set<string>;
  /** Why something of what the target should have cannot be there yet: a base bdev, or what is on it. */
  readonly delays: readonly string[];
  /** The lvstores as they were at `lvstoresAt`, less what was taken since. */
  lvstores: readonly Lvstore[];
  lvstoresAt: number;
}

/** The lvstores of a target. */
export interface Lvstores {
  readonly all: readonly Lvstore[];
  /** Those that take new volumes: all, or those that the config names. */
  readonly taking: readonly Lvstore[];
  /** TARGET_UNAVAILABLE while one is not there that should be: what is not found may be on it. */
  readonly missing: DriverError | undefined;
}

/** A disk that has died may keep the target examining it for ever: what is on other disks does not wait for it. */
const EXAMINE_TIMEOUT_MS = 5_000;

/** While something is missing, it is looked for so often. */
const LOOK_AGAIN_MS = 1_000;

const UNEXAMINED =
  "is still examining a bdev, on which volumes may be: the call can be repeated; if this lasts, its log tells of the disk that does not answer";

/** From this age on, lvstores are asked for again beside the next call that looks at them. */
const LVSTORES_FRESH_MS = 2_000;

/** One SPDK target: what the driver asks it, read into the driver's own types. */
export class Target {
  readonly name: string;
  /** The same for several names of one target, as a config may have them while one name takes another's place. */
  readonly key: string;
  readonly #connection: TargetConnection;
  #config: TargetConfig;
  #facts: Promise<TargetFacts> | undefined;
  readonly #baseBdevs: BaseBdevs;
  readonly #rpcTimeoutMs: number;
  #examineTimeoutMs: number;
  #examining: Promise<boolean> | undefined;
  #looking = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  readonly #underWay = new Map<string, Promise<void>>();
  /** Every lvstore that was ever there, by uuid: one that is missing has not been loaded yet. */
  #seen = new Map<string, string>();

  constructor(config: TargetConfig, rpcTimeoutMs: number) {
    this.name = config.name;
    this.key = config.rpcUrl;
    this.#rpcTimeoutMs = rpcTimeoutMs;
    this.#examineTimeoutMs = rpcTimeoutMs;
    this.#config = config;
    const forgetFacts = (): void => {
      this.#facts = undefined;
    };
    this.#baseBdevs = new BaseBdevs(this, forgetFacts);
    const onLost = (): void => {
      forgetFacts();
      this.#baseBdevs.forget();
    };
    this.#connection = new TargetConnection(config, { rpcTimeoutMs, onLost });
  }

  get config(): TargetConfig {
    return this.#config;
  }

  /** Takes over a changed configuration; calls that are under way end on the old connection. */
  configure(config: TargetConfig): void {
    // Answers of the old one that are still to come are noted where nobody looks any more.
    if (config.rpcUrl !== this.#config.rpcUrl) this.#seen = new Map();
    this.#config = config;
    this.#connection.configure(config);
  }

  /** Takes the credentials of a request where the configuration has none; later calls go on with them. */
  offer(credentials: Credentials): void {
    this.#connection.offer(credentials);
  }

  /** Closes the connection; later calls fail. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /**
   * Does the work, or waits for the same that is under way, also where what is known of the target was forgotten since.
   * What got no answer counts as under way until it can be over.
   */
  async oneAtATime(what: string, work: () => Promise<void>): Promise<void> {
    const underWay = this.#underWay.get(what);
    if (underWay !== undefined) return underWay;
    const begun = work();
    this.#underWay.set(what, begun);
    const ended = begun.catch((error: unknown) => (isUnavailable(error) ? this.settled() : undefined));
    void ended.then(() => this.#underWay.delete(what));
    return begun;
  }

  /** Waits until every request that was sent has been answered or its connection is gone, but not for ever. */
  async settled(): Promise<void> {
    await this.#connection.settled();
  }

  /** Throws TARGET_UNAVAILABLE while any lvol, though its delete was sent, is still there. */
  async assertNoLvolDying(): Promise<void> {
    await this.assertNotDying(...this.#connection.dying.filter((object) => !isNqn(object)));
  }

  /**
   * Throws TARGET_UNAVAILABLE while an lvol or a subsystem, though its delete was sent, is still there: the target may not
   * survive another change of it before it has answered.
   */
  async assertNotDying(...objects: readonly string[]): Promise<void> {
    for (const object of objects) {
      if (!this.#connection.dying.includes(object)) continue;
      const left = isNqn(object) ? await this.findSubsystem(object) : await this.findLvol(object);
      if (left !== undefined) {
        throw new DriverError(
          "TARGET_UNAVAILABLE",
          `target "${this.name}" was asked to delete ${object} and has not answered yet; the call can be repeated, and if this lasts the target has to be restarted`,
        );
      }
      this.#connection.isGone(object);
    }
  }

  /** Throws TARGET_UNAVAILABLE while the target has said nothing for seconds although it was asked. */
  assertHeard(): void {
    this.#connection.assertHeard();
  }

  /** Calls a method; what is called without a pause in between is written at once, in the order of the calls. */
  async call<M extends SpdkMethod>(method: M, ...[params, options]: CallArguments<M>): Promise<SpdkResult<M>> {
    return (await this.#connection.call(method, params, options)) as SpdkResult<M>;
  }

  /**
   * Calls a method that a dead disk may keep from ever being answered, over a connection of its own and by default for as
   * long as it takes. Its parameters, as of the config, only the target itself can judge.
   */
  async callAside(method: string, params?: object, { timeoutMs = Infinity }: CallOptions = {}): Promise<unknown> {
    return this.#connection.callAside(method, params, { timeoutMs });
  }

  /**
   * Whether all that is on the bdevs is loaded, which is waited for, but not for ever: an lvstore is listed before its lvols
   * are.
   */
  async examined(): Promise<boolean> {
    this.#examining ??= this.#examine();
    return within(this.#examining, EXAMINE_TIMEOUT_MS, false);
  }

  /**
   * One question at a time, and each is given twice the time of the one before: one that is not answered keeps a connection,
   * of which a target has few. That an answer was lost, and none will come, nobody can know.
   */
  async #examine(): Promise<boolean> {
    try {
      await this.callAside("bdev_wait_for_examine", undefined, { timeoutMs: this.#examineTimeoutMs });
      this.#examineTimeoutMs = this.#rpcTimeoutMs;
      return true;
    } catch (error) {
      if (!(error instanceof SpdkTimeoutError)) throw error;
      this.#examineTimeoutMs *= 2;
      return false;
    } finally {
      this.#examining = undefined;
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
    const seen = this.#seen;
    const unattached = await this.#baseBdevs.attach();
    const [{ fields }, transports, { unexamined, lvstores }] = await Promise.all([
      this.call("spdk_get_version"),
      this.call("nvmf_get_transports"),
      this.#readLvstores(),
    ]);
    note(lvstores, seen);
    return {
      release: fields.major * 100 + fields.minor,
      transports: new Map(transports.map(({ trtype }) => [trtype.toUpperCase(), Promise.resolve()])),
      keys: new Set(),
      delays: [...unattached, ...unexamined],
      lvstores,
      lvstoresAt: performance.now(),
    };
  }

  async #readLvstores() {
    const unexamined = (await this.examined()) ? [] : [UNEXAMINED];
    return { unexamined, lvstores: (await this.call("bdev_lvol_get_lvstores")).map(toLvstore) };
  }

  /** Asks for the lvstores. */
  async lvstores(options?: CallOptions): Promise<Lvstores> {
    const seen = this.#seen;
    const facts = await this.facts();
    facts.lvstores = (await this.call("bdev_lvol_get_lvstores", undefined, options)).map(toLvstore);
    facts.lvstoresAt = performance.now();
    note(facts.lvstores, seen);
    return this.#judge(facts);
  }

  /** The same from memory; space that is seconds old is asked for again meanwhile, for the next call. */
  async recentLvstores(): Promise<Lvstores> {
    const facts = await this.facts();
    if (performance.now() - facts.lvstoresAt > LVSTORES_FRESH_MS) {
      facts.lvstoresAt = performance.now();
      this.lvstores().catch(() => undefined);
    }
    return this.#judge(facts);
  }

  /** The lvstore of an lvol, whatever is missing beside it. */
  async lvstoreOf({ alias, lvstore }: Lvol): Promise<Lvstore> {
    const named = ({ all }: Lvstores): Lvstore | undefined => all.find(({ name }) => name === lvstore);
    const store = named(await this.recentLvstores()) ?? named(await this.lvstores());
    if (store !== undefined) return store;
    throw new DriverError(
      "TARGET_UNAVAILABLE",
      `target "${this.name}" does not list the lvstore of ${alias}: attach its base bdev; the call can be repeated`,
    );
  }

  /**
   * Reads the facts anew, which attaches the base bdevs again: behind an HTTP proxy nobody sees that the target was
   * restarted. Beside the calls: a disk that has died keeps none of them waiting.
   */
  #lookAgain(): void {
    if (this.#looking || performance.now() - this.#lookedAt < LOOK_AGAIN_MS) return;
    this.#looking = true;
    this.#lookedAt = performance.now();
    const before = this.#facts;
    const ended = (): void => {
      this.#looking = false;
    };
    this.#readFacts().then((facts) => {
      ended();
      // Unless the connection was lost meanwhile.
      if (this.#facts === before) this.#facts = Promise.resolve(facts);
    }, ended);
  }

  /** Remembers that space was taken, until the target is asked again. */
  async tookSpace(lvstore: string, bytes: bigint): Promise<void> {
    const facts = await this.facts();
    facts.lvstores = facts.lvstores.map((store) =>
      store.name === lvstore ? { ...store, freeBytes: store.freeBytes > bytes ? store.freeBytes - bytes : 0n } : store,
    );
  }

  #judge({ lvstores: all, delays }: TargetFacts): Lvstores {
    const wanted = this.#config.lvstores;
    const taking = wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name));
    const lacks = missingLvstores(all, wanted, this.#seen);
    // What the config does not name may be on any disk, seen or not.
    const reasons = [
      ...(lacks === undefined ? [] : [lacks]),
      ...(lacks === undefined && wanted !== undefined ? [] : delays),
    ];
    if (reasons.length === 0) return { all, taking, missing: undefined };
    this.#lookAgain();
    const missing = new DriverError("TARGET_UNAVAILABLE", `target "${this.name}" ${reasons.join("; ")}`);
    return { all, taking, missing };
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
      // Asked on one connection, or the target may have been started anew in between.
      const { missing } = await this.lvstores();
      if (missing !== undefined) throw missing;
      if (!(await this.examined())) throw new DriverError("TARGET_UNAVAILABLE", `target "${this.name}" ${UNEXAMINED}`);
      const lvol = await this.findLvol(uuid);
      if (lvol !== undefined) {
        const what = `lvol ${lvol.alias} turned up while target "${this.name}" was coming back`;
        throw new DriverError("CONFLICT", `${what}; the call can be repeated`);
      }
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

function isNqn(object: string): boolean {
  return object.startsWith("nqn.");
}

function note(lvstores: readonly Lvstore[], seen: Map<string, string>): void {
  for (const { uuid, name } of lvstores) seen.set(uuid, name);
}
