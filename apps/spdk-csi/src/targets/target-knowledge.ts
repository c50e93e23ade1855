import type { CallOptions } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import { BaseBdevs } from "./base-bdevs.ts";
import { type Examination, UNEXAMINED } from "./examination.ts";
import type { Lvol } from "./lvol.ts";
import { type Lvstore, toLvstore } from "./lvstore.ts";
import { missingLvstores } from "./missing-lvstores.ts";
import type { Target } from "./target.ts";

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

/** While something is missing, it is looked for so often. */
const LOOK_AGAIN_MS = 1_000;

/** From this age on, lvstores are asked for again beside the next call that looks at them. */
const LVSTORES_FRESH_MS = 2_000;

/** What is known of a target since its connection was made, and what should be there and is not. */
export class TargetKnowledge {
  readonly #target: Target;
  readonly #examination: Examination;
  readonly #baseBdevs: BaseBdevs;
  #facts: Promise<TargetFacts> | undefined;
  #looking = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Every lvstore that was ever there, by uuid: one that is missing has not been loaded yet. */
  #seen = new Map<string, string>();

  constructor(target: Target, examination: Examination) {
    this.#target = target;
    this.#examination = examination;
    this.#baseBdevs = new BaseBdevs(target, () => this.#forgetFacts());
  }

  /** The connection was lost: the target may have been started anew. */
  forget(): void {
    this.#forgetFacts();
    this.#baseBdevs.forget();
  }

  /** Another target has taken its place. Answers of the old one that are still to come are noted where nobody looks any more. */
  forgetLvstores(): void {
    this.#seen = new Map();
  }

  #forgetFacts(): void {
    this.#facts = undefined;
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
      this.#target.call("spdk_get_version"),
      this.#target.call("nvmf_get_transports"),
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
    const unexamined = (await this.#examination.isOver()) ? [] : [UNEXAMINED];
    return { unexamined, lvstores: (await this.#target.call("bdev_lvol_get_lvstores")).map(toLvstore) };
  }

  /** Asks for the lvstores. */
  async lvstores(options?: CallOptions): Promise<Lvstores> {
    const seen = this.#seen;
    const facts = await this.facts();
    facts.lvstores = (await this.#target.call("bdev_lvol_get_lvstores", undefined, options)).map(toLvstore);
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
      `target "${this.#target.name}" does not list the lvstore of ${alias}: attach its base bdev; the call can be repeated`,
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
    const wanted = this.#target.config.lvstores;
    const taking = wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name));
    const lacks = missingLvstores(all, wanted, this.#seen);
    // What the config does not name may be on any disk, seen or not.
    const reasons = [
      ...(lacks === undefined ? [] : [lacks]),
      ...(lacks === undefined && wanted !== undefined ? [] : delays),
    ];
    if (reasons.length === 0) return { all, taking, missing: undefined };
    this.#lookAgain();
    const missing = new DriverError("TARGET_UNAVAILABLE", `target "${this.#target.name}" ${reasons.join("; ")}`);
    return { all, taking, missing };
  }
}

function note(lvstores: readonly Lvstore[], seen: Map<string, string>): void {
  for (const { uuid, name } of lvstores) seen.set(uuid, name);
}
