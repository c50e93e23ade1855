/** What helps against which defect, in this order. */
export type RepairTable<Code extends string, Repair extends string> = Readonly<Record<Code, readonly Repair[]>>;

/** The repairs that one call has tried: each once for a defect, because what helps nothing is not tried for ever. */
export class Repairs<Code extends string, Repair extends string> {
  readonly #table: RepairTable<Code, Repair>;
  readonly #tried: Set<string> = new Set();

  constructor(table: RepairTable<Code, Repair>) {
    this.#table = table;
  }

  /** What is to be tried next against a defect; undefined when nothing is left. */
  next(code: Code): Repair | undefined {
    const repair = this.#table[code].find((each) => !this.#tried.has(`${code} ${each}`));
    if (repair !== undefined) this.#tried.add(`${code} ${repair}`);
    return repair;
  }

  /** Lets a repair be tried again: what came before it has changed. */
  allow(code: Code, repair: Repair): void {
    this.#tried.delete(`${code} ${repair}`);
  }
}
