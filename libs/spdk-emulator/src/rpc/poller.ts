/** Something that is looked at once a poll: first its replies leave, then its requests are read. */
export interface Polled {
  poll(): void;
}

/** The beat of a target: a real one looks at its connections every 4 ms, and between two looks nothing comes or goes. */
export class Poller {
  /** Whether everything is done at once instead. */
  readonly immediate: boolean;
  readonly #polled = new Set<Polled>();
  readonly #periodMs: number;
  #timer: NodeJS.Timeout | undefined;
  #next = 0;

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
    this.immediate = periodMs === 0;
  }

  add(polled: Polled): void {
    this.#polled.add(polled);
    if (this.immediate || this.#timer !== undefined) return;
    this.#next = performance.now() + this.#periodMs;
    this.#timer = setTimeout(() => this.#tick(), this.#periodMs);
  }

  remove(polled: Polled): void {
    this.#polled.delete(polled);
    if (this.#polled.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    for (const polled of this.#polled) polled.poll();
    if (this.#timer === undefined) return;
    // Timers are late by up to a millisecond: the next one is set by the clock, so that the beat stays.
    const now = performance.now();
    this.#next = Math.max(this.#next + this.#periodMs, now);
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#next - now));
  }
}
