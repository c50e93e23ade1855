/** Locks by name, taken all at once or not at all: nobody waits, so nothing can deadlock. */
export class KeyedLocks {
  readonly #held = new Set<string>();

  /** Takes every key; returns how to let go of them, or the first key that somebody else holds. */
  tryAcquire(keys: readonly string[]): { readonly release: () => void } | { readonly heldKey: string } {
    const heldKey = keys.find((key) => this.#held.has(key));
    if (heldKey !== undefined) return { heldKey };
    const taken = new Set(keys);
    for (const key of taken) this.#held.add(key);
    const release = (): void => {
      for (const key of taken) this.#held.delete(key);
      taken.clear();
    };
    return { release };
  }
}
