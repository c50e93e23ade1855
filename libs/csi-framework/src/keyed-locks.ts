/** A lock on several keys, or who is in the way. */
export type Acquired = { readonly release: () => void } | { readonly heldKey: string };

interface Waiter {
  readonly keys: readonly string[];
  readonly grant: (acquired: Acquired) => void;
}

/**
 * Locks by name, taken all at once or not at all, so that nothing can deadlock. Whether they are free is found out and
 * acted upon in one step, without a pause in which somebody else could come first.
 */
export class KeyedLocks {
  readonly #held = new Set<string>();
  /** In the order in which they came. */
  readonly #waiters = new Set<Waiter>();

  /**
   * Takes every key as soon as all are free and nobody who came earlier wants one of them. After `waitMs`, or when the
   * signal is aborted, it returns a key that is held.
   */
  async acquire(keys: readonly string[], waitMs: number, signal: AbortSignal): Promise<Acquired> {
    const inTheWay = this.#inTheWay(keys);
    if (inTheWay === undefined) return this.#take(keys);
    if (waitMs <= 0 || signal.aborted) return { heldKey: inTheWay };
    return new Promise((resolve) => {
      const end = (result: Acquired): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        this.#waiters.delete(waiter);
        resolve(result);
      };
      const giveUp = (): void => {
        end({ heldKey: this.#inTheWay(keys) ?? inTheWay });
        this.#grantNext();
      };
      const timer = setTimeout(giveUp, waitMs);
      const waiter: Waiter = { keys, grant: end };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** A key that somebody holds, or waits for. */
  #inTheWay(keys: readonly string[]): string | undefined {
    const isWanted = (key: string): boolean => [...this.#waiters].some((waiter) => waiter.keys.includes(key));
    return keys.find((key) => this.#held.has(key)) ?? keys.find(isWanted);
  }

  #take(keys: readonly string[]): { readonly release: () => void } {
    const taken = new Set(keys);
    for (const key of taken) this.#held.add(key);
    const release = (): void => {
      for (const key of taken) this.#held.delete(key);
      taken.clear();
      this.#grantNext();
    };
    return { release };
  }

  /** A waiter also keeps its keys from those behind it: one that needs several would else wait for ever. */
  #grantNext(): void {
    const wanted = new Set<string>();
    for (const waiter of this.#waiters) {
      const isFree = waiter.keys.every((key) => !this.#held.has(key) && !wanted.has(key));
      for (const key of waiter.keys) wanted.add(key);
      if (isFree) waiter.grant(this.#take(waiter.keys));
    }
  }
}
