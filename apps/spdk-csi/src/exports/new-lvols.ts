import type { Target } from "../targets/target.ts";

/**
 * So long an lvol counts as new. A node that was cut off from a volume may still try to come back to it minutes later;
 * within seconds of its making no such node can be.
 */
const NEW_MS = 30_000;

/** So many are remembered. */
const MAX_REMEMBERED = 10_000;

/** Lvols that this process made just now and has not exported yet. */
export class NewLvols {
  readonly #now: () => number;
  readonly #madeAt = new Map<string, number>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  add(target: Target, uuid: string): void {
    if (this.#madeAt.size >= MAX_REMEMBERED) this.#madeAt.clear();
    this.#madeAt.set(`${target.name} ${uuid}`, this.#now());
  }

  /** Whether the lvol is new; it is so for whoever asks first. */
  take({ name }: Target, uuid: string): boolean {
    const key = `${name} ${uuid}`;
    const madeAt = this.#madeAt.get(key);
    this.#madeAt.delete(key);
    return madeAt !== undefined && this.#now() - madeAt < NEW_MS;
  }
}
