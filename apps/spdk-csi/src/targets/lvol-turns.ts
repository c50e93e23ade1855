import { subsystemNqn } from "../volumes/volume-id.ts";
import { isUnavailable } from "./is-unavailable.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import type { Target } from "./target.ts";

/**
 * Keeps changes apart that a target does not survive together: of one lvol and its export, and of lvols that share
 * clusters. All versions die when a snapshot and its only clone are deleted at once, or an lvol is deleted while it is
 * snapshotted or resized.
 */
export class LvolTurns {
  readonly #queue = new KeyedQueue();
  /** Families of which a change got no answer. */
  readonly #unanswered = new Set<string>();

  /** Runs work that must not meet another change of the lvol or its export, until all that it sent has been answered. */
  async inTurn<T>(target: Target, uuid: string, work: () => Promise<T>): Promise<T> {
    return this.#run(target, `lvol ${uuid}`, async () => {
      await target.assertNotDying(uuid, subsystemNqn(uuid));
      return work();
    });
  }

  /**
   * Runs a change of an lvol that is a snapshot, stands on one, or becomes one. Such work may be done in an lvol's turn,
   * but takes no turn of its own.
   */
  async inFamily<T>(target: Target, lvstore: string, work: () => Promise<T>): Promise<T> {
    const family = `lvstore ${lvstore}`;
    return this.#run(target, family, async () => {
      const key = `${target.key} ${family}`;
      if (this.#unanswered.has(key)) await target.assertNoLvolDying();
      this.#unanswered.delete(key);
      try {
        return await work();
      } catch (error) {
        if (isUnavailable(error)) this.#unanswered.add(key);
        throw error;
      }
    });
  }

  /** Waits until the changes of that kind have ended that were begun before. */
  async afterFamily(target: Target, lvstore: string): Promise<void> {
    await this.inFamily(target, lvstore, () => Promise.resolve());
  }

  async #run<T>(target: Target, what: string, work: () => Promise<T>): Promise<T> {
    target.assertHeard();
    return this.#queue.run(`${target.key} ${what}`, async (hold) => {
      try {
        // After a restart the base bdevs are attached again before anything is looked for.
        await target.facts();
        return await work();
      } catch (error) {
        // What was not answered may still be carried out: nothing else may be sent before that is over.
        if (isUnavailable(error)) hold(target.settled());
        throw error;
      }
    });
  }
}
