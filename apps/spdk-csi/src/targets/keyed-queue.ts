/** Keeps a key to what was begun with it until `settled`, also when the work itself has ended. */
export type Hold = (settled: Promise<unknown>) => void;

/** Runs work on one key strictly one after the other; different keys do not wait for each other. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Resolves or rejects with what `work` gives, once every earlier work on `key` and what it held have ended. */
  async run<T>(key: string, work: (hold: Hold) => Promise<T>): Promise<T> {
    const held: Promise<unknown>[] = [];
    const previous = this.#tails.get(key);
    const current = (async () => {
      await previous;
      return work((settled) => held.push(settled));
    })();
    const tail = current.then(
      () => Promise.allSettled(held),
      () => Promise.allSettled(held),
    );
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return current;
  }
}
