/** Counts what is proven, and prints a line for each. */
export class Proofs {
  passed = 0;
  failed = 0;
  readonly #print: (line: string) => void;
  readonly #signal: AbortSignal;

  constructor(print: (line: string) => void, signal: AbortSignal) {
    this.#print = print;
    this.#signal = signal;
  }

  /** Runs a step on which nothing else depends; `work` returns what it has proven, in words. */
  async prove(title: string, work: () => Promise<string>): Promise<void> {
    this.#signal.throwIfAborted();
    const start = performance.now();
    try {
      const proven = await work();
      const took = `${((performance.now() - start) / 1000).toFixed(1)} s`;
      this.passed++;
      this.#print(`ok    ${title.padEnd(22)} ${took.padStart(7)}  ${proven}`);
    } catch (error) {
      this.fail(title, error);
      this.#signal.throwIfAborted();
    }
  }

  /** The same for a step without which the later ones make no sense: it returns its value, or throws. */
  async need<T>(title: string, work: () => Promise<{ readonly value: T; readonly proven: string }>): Promise<T> {
    let value: { readonly it: T } | undefined;
    await this.prove(title, async () => {
      const result = await work();
      value = { it: result.value };
      return result.proven;
    });
    if (value === undefined) throw new Error(`without "${title}" the rest cannot be tried`);
    return value.it;
  }

  fail(title: string, error: unknown): void {
    this.failed++;
    this.#print(`FAIL  ${title}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
