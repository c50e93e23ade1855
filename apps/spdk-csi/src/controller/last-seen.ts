import type { Logger } from "@org/csi-framework";

import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";

/** What each target showed when it last answered, so that one that is dead hides nothing of the others. */
export class LastSeen<T> {
  readonly #targets: Targets;
  readonly #what: string;
  readonly #byTarget = new Map<string, readonly T[]>();

  /** `what` names in logs that which is listed. */
  constructor(targets: Targets, what: string) {
    this.#targets = targets;
    this.#what = what;
  }

  /** Asks all targets side by side; of one that cannot be asked what it showed last. */
  async list(read: (target: Target) => Promise<readonly T[]>, logger: Logger): Promise<T[]> {
    const lists = await Promise.all(
      this.#targets.all.map(async (target) => {
        try {
          const seen = await read(target);
          this.#byTarget.set(target.name, seen);
          return seen;
        } catch (error) {
          const known = this.#byTarget.get(target.name) ?? [];
          logger.warn(`target cannot be asked; its last known ${this.#what} are listed`, {
            target: target.name,
            known: known.length,
            error: error instanceof Error ? error.message : String(error),
          });
          return known;
        }
      }),
    );
    return lists.flat();
  }
}
