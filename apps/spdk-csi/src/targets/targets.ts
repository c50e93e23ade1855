import type { Credentials, TargetConfig } from "../config/target-config.ts";
import { DriverError } from "../driver-error.ts";
import { Target } from "./target.ts";

/** The targets of the config, in its order. */
export class Targets {
  readonly #rpcTimeoutMs: number;
  #all: readonly Target[] = [];

  constructor(configs: readonly TargetConfig[], rpcTimeoutMs: number) {
    this.#rpcTimeoutMs = rpcTimeoutMs;
    this.configure(configs);
  }

  get all(): readonly Target[] {
    return this.#all;
  }

  /** The same, each but once of which the config has several names. */
  get distinct(): readonly Target[] {
    return this.#all.filter((target, index) => this.#all.findIndex(({ key }) => key === target.key) === index);
  }

  /** Takes over a changed configuration: targets that it still has keep what is known of them. */
  configure(configs: readonly TargetConfig[]): void {
    const before = this.#all;
    this.#all = configs.map((config) => {
      const known = before.find(({ name }) => name === config.name);
      known?.configure(config);
      return known ?? new Target(config, this.#rpcTimeoutMs);
    });
    for (const target of before) {
      if (!this.#all.includes(target)) void target.settled().then(() => target.close());
    }
  }

  /** Takes the credentials that a request brings, for targets for which the configuration has none. */
  offer(credentials: ReadonlyMap<string, Credentials>): void {
    for (const [name, each] of credentials) this.find(name)?.offer(each);
  }

  /** The target of that name; a volume whose target left the config is unavailable, not gone. */
  get(name: string): Target {
    const target = this.find(name);
    if (target === undefined) {
      const known = this.#all.map((each) => each.name).join(", ");
      throw new DriverError(
        "TARGET_UNAVAILABLE",
        `target "${name}" is not in the config, which has ${known}: add it again`,
      );
    }
    return target;
  }

  find(name: string): Target | undefined {
    return this.#all.find((target) => target.name === name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((target) => target.close()));
  }
}
