/** How a target did on a recording. */
export class Summary {
  readonly #title: string;
  readonly #exceptions: ReadonlyMap<string, string>;
  readonly #differences: string[] = [];
  readonly #unexplained: string[] = [];
  readonly #absent = new Map<string, number>();
  readonly #equal = new Set<string>();
  readonly #different = new Set<string>();
  #compared = 0;

  /** `exceptions`: names of records that are known to differ, and why. */
  constructor(title: string, exceptions: ReadonlyMap<string, string>) {
    this.#title = title;
    this.#exceptions = exceptions;
  }

  /** Notes a record, with what was different. */
  add(name: string, difference: string | undefined): void {
    this.#compared += 1;
    if (difference === undefined) {
      this.#equal.add(name);
      return;
    }
    this.#different.add(name);
    const reason = this.#exceptions.get(name);
    this.#differences.push(`${name}: ${reason ?? difference}`);
    if (reason === undefined) this.#unexplained.push(`${name}: ${difference}`);
  }

  /** Notes a record of a method that the target does not have. */
  absent(method: string): void {
    this.#absent.set(method, (this.#absent.get(method) ?? 0) + 1);
  }

  get compared(): number {
    return this.#compared;
  }

  /** The part that is equal. */
  get equal(): number {
    return (this.#compared - this.#differences.length) / this.#compared;
  }

  /** Differences that no exception explains. */
  get unexplained(): readonly string[] {
    return this.#unexplained;
  }

  /** Exceptions for what is equal: whoever mends something takes its exception along. */
  get needless(): readonly string[] {
    return [...this.#exceptions.keys()].filter((name) => this.#equal.has(name) && !this.#different.has(name));
  }

  print(): void {
    const equal = this.#compared - this.#differences.length;
    const percent = (100 * this.equal).toFixed(1);
    const absent = [...this.#absent].map(([method, count]) => `${method} (${count})`);
    process.stdout.write(
      [
        `contract ${this.#title}: ${equal} of ${this.#compared} records equal (${percent} %)`,
        ...this.#differences.map((line) => `  differs: ${line}`),
        ...(absent.length > 0 ? [`  not implemented: ${absent.join(", ")}`] : []),
        "",
      ].join("\n"),
    );
  }
}
