import type { ReconnectOptions } from "../call-options.ts";

/** Counts the failed attempts in a row, and says how long to wait before the next one. */
export class Backoff {
  readonly #attempts: number;
  readonly #minDelayMs: number;
  readonly #maxDelayMs: number;
  #failed = 0;

  constructor({ attempts = 4, minDelayMs = 100, maxDelayMs = 2_000 }: ReconnectOptions = {}) {
    this.#attempts = attempts;
    this.#minDelayMs = minDelayMs;
    this.#maxDelayMs = maxDelayMs;
  }

  /** The number of the attempt that comes next or is under way, from 1. */
  get attempt(): number {
    return this.#failed + 1;
  }

  /** Counts a failure. Gives the delay in milliseconds before the next attempt, undefined when there is to be none. */
  fail(): number | undefined {
    this.#failed += 1;
    if (this.#failed >= this.#attempts) {
      this.#failed = 0;
      return undefined;
    }
    const delayMs = Math.min(this.#maxDelayMs, this.#minDelayMs * 2 ** (this.#failed - 1));
    return delayMs * (1 - Math.random() / 2);
  }

  succeed(): void {
    this.#failed = 0;
  }
}
