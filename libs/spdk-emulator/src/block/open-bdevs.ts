import type { Bdev } from "../bdev/bdev.ts";
import type { Faults } from "../faults/faults.ts";
import { OpenBdev } from "./open-bdev.ts";

/** The bdevs that are open, one opening for all who use it, so that a pause holds every path to a volume. */
export class OpenBdevs {
  readonly #faults: Faults;
  readonly #open = new Map<Bdev, { readonly opened: OpenBdev; users: number }>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** Opens a bdev. Each user releases it. */
  acquire(bdev: Bdev): OpenBdev {
    const entry = this.#open.get(bdev) ?? { opened: new OpenBdev(bdev, this.#faults), users: 0 };
    entry.users += 1;
    this.#open.set(bdev, entry);
    return entry.opened;
  }

  /** Gives it back; after the last user it closes, when what runs has ended. */
  release(opened: OpenBdev): void {
    const entry = this.#open.get(opened.bdev);
    if (entry?.opened !== opened) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#open.delete(opened.bdev);
    void opened.gate.pause().then(() => {
      opened.close();
      // What was parked finds its namespace gone.
      opened.gate.resume();
    });
  }

  /** Closes all, when what runs has ended. Nobody uses them any more. */
  async close(): Promise<void> {
    const all = [...this.#open.values()].map(({ opened }) => opened);
    this.#open.clear();
    await Promise.all(all.map((opened) => opened.gate.pause()));
    for (const opened of all) opened.close();
  }

  /**
   * Does work while no I/O reaches a bdev, nor for what is done at once behind it: it begins again in a later turn of
   * the event loop. Hosts only see their I/O take longer. The work may put another file in the place of the bdev's.
   */
  async whileQuiet<T>(bdev: Bdev, work: (opened: OpenBdev) => Promise<T>): Promise<T> {
    const opened = this.acquire(bdev);
    await opened.gate.pause();
    try {
      return await work(opened);
    } finally {
      opened.reopen();
      setImmediate(() => {
        opened.gate.resume();
        this.release(opened);
      });
    }
  }
}
