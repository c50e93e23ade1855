import {
  type CallArguments,
  type CallOptions,
  isNoSuchDevice,
  type NvmfSubsystem,
  type SpdkMethod,
  type SpdkResult,
  SpdkRpcError,
} from "@org/spdk-rpc";

import type { Credentials, TargetConfig } from "../config/target-config.ts";
import { DriverError } from "../driver-error.ts";
import { Examination, UNEXAMINED } from "./examination.ts";
import { isUnavailable } from "./is-unavailable.ts";
import { type Lvol, toLvol } from "./lvol.ts";
import type { Lvstore } from "./lvstore.ts";
import { TargetConnection } from "./target-connection.ts";
import { type Lvstores, type TargetFacts, TargetKnowledge } from "./target-knowledge.ts";

/** One SPDK target: what the driver asks it, read into the driver's own types. */
export class Target {
  readonly name: string;
  /** The same for several names of one target, as a config may have them while one name takes another's place. */
  readonly key: string;
  readonly #connection: TargetConnection;
  #config: TargetConfig;
  readonly #examination: Examination;
  readonly #knowledge: TargetKnowledge;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(config: TargetConfig, rpcTimeoutMs: number) {
    this.name = config.name;
    this.key = config.rpcUrl;
    this.#config = config;
    this.#examination = new Examination(this, rpcTimeoutMs);
    this.#knowledge = new TargetKnowledge(this, this.#examination);
    this.#connection = new TargetConnection(config, { rpcTimeoutMs, onLost: () => this.#knowledge.forget() });
  }

  get config(): TargetConfig {
    return this.#config;
  }

  /** Takes over a changed configuration; calls that are under way end on the old connection. */
  configure(config: TargetConfig): void {
    if (config.rpcUrl !== this.#config.rpcUrl) this.#knowledge.forgetLvstores();
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

  /** Whether all that is on the bdevs is loaded, which is waited for, but not for ever. */
  async examined(): Promise<boolean> {
    return this.#examination.isOver();
  }

  /** What is known since the connection was made; the first call after a loss asks, and attaches the base bdevs again. */
  facts(): Promise<TargetFacts> {
    return this.#knowledge.facts();
  }

  /** Asks for the lvstores. */
  async lvstores(options?: CallOptions): Promise<Lvstores> {
    return this.#knowledge.lvstores(options);
  }

  /** The same from memory; space that is seconds old is asked for again meanwhile, for the next call. */
  async recentLvstores(): Promise<Lvstores> {
    return this.#knowledge.recentLvstores();
  }

  /** The lvstore of an lvol, whatever is missing beside it. */
  async lvstoreOf(lvol: Lvol): Promise<Lvstore> {
    return this.#knowledge.lvstoreOf(lvol);
  }

  /** Remembers that space was taken, until the target is asked again. */
  async tookSpace(lvstore: string, bytes: bigint): Promise<void> {
    await this.#knowledge.tookSpace(lvstore, bytes);
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
