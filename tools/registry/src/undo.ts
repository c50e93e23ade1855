/** What has to be undone at the end, whichever way it comes; the last added goes first. */
export class Undo {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  /** Undoes everything, going on after a failure; returns the failures. */
  async all(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (let last = this.#steps.pop(); last !== undefined; last = this.#steps.pop()) {
      await last().catch((error: unknown) => errors.push(error));
    }
    return errors;
  }
}
