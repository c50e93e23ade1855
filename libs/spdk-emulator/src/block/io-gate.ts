/** Lets I/O through, or holds it while something must see a volume at rest. */
export class IoGate {
  #holds = 0;
  #running = 0;
  #parked: (() => void)[] = [];
  #idle: (() => void)[] = [];

  /**
   * Does work, at once where nothing holds it. Work that had to wait is dropped, and undefined, when `alive` says that
   * nobody is there for it any more: its sender repeats it elsewhere, and an old write must not land after that.
   */
  run<T>(alive: () => boolean, work: () => T | Promise<T>): T | undefined | Promise<T | undefined> {
    return this.#holds === 0 ? this.#start(work) : this.#wait(alive, work);
  }

  /** Holds new work and waits for what runs. Each pause needs one resume. */
  async pause(): Promise<void> {
    this.#holds += 1;
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  resume(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    const parked = this.#parked;
    this.#parked = [];
    for (const proceed of parked) proceed();
  }

  /** Lets what runs now end before anything new begins. */
  settle(): void {
    if (this.#running > 0) void this.pause().then(() => this.resume());
  }

  async #wait<T>(alive: () => boolean, work: () => T | Promise<T>): Promise<T | undefined> {
    while (this.#holds > 0) await new Promise<void>((resolve) => this.#parked.push(resolve));
    return alive() ? this.#start(work) : undefined;
  }

  #start<T>(work: () => T | Promise<T>): T | Promise<T> {
    this.#running += 1;
    let done: T | Promise<T>;
    try {
      done = work();
    } catch (error) {
      this.#end();
      throw error;
    }
    if (done instanceof Promise) return done.finally(() => this.#end());
    this.#end();
    return done;
  }

  #end(): void {
    this.#running -= 1;
    if (this.#running > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const proceed of idle) proceed();
  }
}
