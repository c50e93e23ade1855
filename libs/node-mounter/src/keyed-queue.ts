import type { CallOptions } from "./host/call-options.ts";
import { childrenSettled, HostError } from "./host/host-error.ts";

/**
 * Runs work on one key strictly one after the other; different keys do not wait for each other. A turn lasts until the
 * children that its work started have ended, also when its caller has been answered long before.
 */
export class KeyedQueue {
  readonly #tails: Map<string, Promise<unknown>> = new Map();

  /**
   * Resolves or rejects with what `work` gives, once every earlier work on `key` has ended. A caller who does not wait
   * that long (`timeoutMs`, `signal`; default: no limit) gets HostError `TIMEOUT` or `ABORTED`, and its work is not begun.
   */
  async run<T>(key: string, work: () => Promise<T>, limits: CallOptions = {}): Promise<T> {
    const previous = this.#tails.get(key);
    const begun = turn(key, previous, limits);
    const current = begun.then(work);
    // The next one waits for its predecessor even if this one has given up.
    this.#hold(key, Promise.all([previous, current.catch(childrenSettled)]));
    return current;
  }

  /** Makes the next work on `key` wait for something else, too. */
  hold(key: string, settled: Promise<unknown>): void {
    this.#hold(key, Promise.all([this.#tails.get(key), settled]));
  }

  #hold(key: string, until: Promise<unknown>): void {
    const tail: Promise<unknown> = until.catch(() => undefined);
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
  }
}

async function turn(key: string, previous: Promise<unknown> | undefined, limits: CallOptions): Promise<void> {
  if (previous === undefined) return;
  const { timeoutMs, signal } = limits;
  await new Promise<void>((resolve, reject) => {
    const refuse = (code: "TIMEOUT" | "ABORTED"): void => {
      finish();
      reject(new HostError(code, `an earlier call for ${key} has not ended: repeat the call`));
    };
    const onAbort = (): void => refuse("ABORTED");
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => refuse("TIMEOUT"), timeoutMs);
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    void previous.then(() => {
      finish();
      resolve();
    });
  });
}
