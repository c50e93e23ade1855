import type { Server } from "@grpc/grpc-js";

import type { Listener } from "./listener.ts";
import type { Logger } from "./logger.ts";

/** How a server goes. */
export interface ShutdownOptions {
  readonly logger: Logger;
  /** After so long calls are cut off and held work is no longer waited for. */
  readonly drainTimeoutMs: number;
}

/** The end of a server: it stops listening at once, and goes when its work has settled. */
export class Shutdown {
  /** Settles when the server has gone. */
  readonly done: Promise<void>;
  readonly #server: Server;
  readonly #options: ShutdownOptions;
  readonly #work = new Set<Promise<unknown>>();
  #settle: () => void = () => {};
  readonly #first: (() => Promise<void>)[] = [];
  readonly #last: (() => Promise<void>)[] = [];
  #running = false;

  constructor(server: Server, options: ShutdownOptions) {
    this.#server = server;
    this.#options = options;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Whether the server is going or gone. */
  get isRunning(): boolean {
    return this.#running;
  }

  /** Has the shutdown begin with this. */
  onStart(step: () => Promise<void>): void {
    this.#first.push(step);
  }

  /** Has the shutdown end with this, when the calls have ended. */
  onEnd(step: () => Promise<void>): void {
    this.#last.push(step);
  }

  /** Has the shutdown wait until `work` has settled. */
  waitFor(work: Promise<unknown>): void {
    this.#work.add(work);
    const remove = (): void => void this.#work.delete(work);
    work.then(remove, remove);
  }

  /** Runs `close` on SIGTERM and SIGINT; a second signal ends the process as if nobody listened. */
  onSignals(close: () => Promise<void>): void {
    const signals = ["SIGTERM", "SIGINT"] as const;
    const onSignal = (signal: NodeJS.Signals): void => {
      forget();
      this.#options.logger.info("closing", { signal });
      void close();
    };
    const forget = (): void => {
      for (const signal of signals) process.off(signal, onSignal);
    };
    for (const signal of signals) process.on(signal, onSignal);
    void this.done.then(forget);
  }

  /** Shuts down; later calls wait for the first one's end. */
  run(listener: Listener): Promise<void> {
    if (!this.#running) {
      this.#running = true;
      void this.#drain(listener).then(() => this.#settle());
    }
    return this.done;
  }

  async #drain(listener: Listener): Promise<void> {
    const { drainTimeoutMs, logger } = this.#options;
    const started = Promise.allSettled(this.#first.map((step) => step()));
    const isDrained = await inTime(this.#drained(listener.stop()), drainTimeoutMs);
    if (!isDrained) logger.warn("closing with calls in flight", { drainTimeoutMs, unsettled: this.#work.size });
    await started;
    this.#server.forceShutdown();
    await Promise.allSettled(this.#last.map((step) => step()));
  }

  /** Clients are told to go; their connections end when the last reply on them has been written. */
  async #drained(stopped: Promise<void>): Promise<void> {
    this.#server.tryShutdown(() => {});
    await stopped;
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}

/** Whether `work` settles within `timeoutMs`. */
async function inTime(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const isInTime = await Promise.race([work.then(() => true), timeout]);
  clearTimeout(timer);
  return isInTime;
}
