import type { Logger } from "@org/csi-framework";

import type { Located } from "../targets/located.ts";
import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";

/** What each target showed when it last answered, so that neither one that is dead nor one of its disks hides anything. */
export class LastSeen<T extends Located> {
  readonly #targets: Targets;
  readonly #what: string;
  readonly #byTarget = new Map<string, readonly T[]>();

  /** `what` names in logs that which is listed. */
  constructor(targets: Targets, what: string) {
    this.#targets = targets;
    this.#what = what;
  }

  /** Asks all targets side by side; of one that cannot be asked, or lvstores that it lacks, what was shown last. */
  async list(read: (target: Target) => Promise<readonly T[]>, logger: Logger): Promise<T[]> {
    const lists = await Promise.all(this.#targets.all.map((target) => this.#listOne(target, read, logger)));
    return lists.flat();
  }

  async #listOne(target: Target, read: (target: Target) => Promise<readonly T[]>, logger: Logger) {
    const known = this.#byTarget.get(target.name) ?? [];
    const repeat = (items: readonly T[], error: unknown): readonly T[] => {
      logger.warn(`target does not show everything; the last known ${this.#what} of the rest are listed`, {
        target: target.name,
        known: items.length,
        error: error instanceof Error ? error.message : String(error),
      });
      return items;
    };
    try {
      const [seen, { all, missing }] = await Promise.all([read(target), target.lvstores()]);
      const isHidden = ({ lvol }: T): boolean => !all.some(({ name }) => name === lvol.lvstore);
      const shown = missing === undefined ? seen : [...seen, ...repeat(known.filter(isHidden), missing)];
      this.#byTarget.set(target.name, shown);
      return shown;
    } catch (error) {
      return repeat(known, error);
    }
  }
}
