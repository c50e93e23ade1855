/** Kinds of I/O that are counted. */
export type CountedIo = "read" | "write" | "unmap" | "copy";

/** What has gone through a bdev, for one kind of I/O. Times are nanoseconds. */
interface Count {
  bytes: number;
  operations: number;
  latency: number;
  maxLatency: number;
  /** 0 when there was none. */
  minLatency: number;
}

/** How much of the counters goes back to zero. */
export type ResetMode = "all" | "maxmin" | "error" | "none";

/** The counters of bdev_get_iostat. */
export class IoStatistics {
  readonly #counts = new Map<CountedIo, Count>();
  /** Operations that failed, by what SPDK calls their status. */
  readonly #errors = new Map<string, number>();

  /** Counts what went well. */
  add(kind: CountedIo, bytes: number, latency: number): void {
    let count = this.#counts.get(kind);
    if (count === undefined) {
      count = { bytes: 0, operations: 0, latency: 0, maxLatency: 0, minLatency: 0 };
      this.#counts.set(kind, count);
    }
    count.bytes += bytes;
    count.operations += 1;
    count.latency += latency;
    count.maxLatency = Math.max(count.maxLatency, latency);
    count.minLatency = count.minLatency === 0 ? latency : Math.min(count.minLatency, latency);
  }

  /** Counts what failed. */
  addError(): void {
    this.#errors.set("failed", (this.#errors.get("failed") ?? 0) + 1);
  }

  of(kind: CountedIo): Readonly<Count> {
    return this.#counts.get(kind) ?? IDLE;
  }

  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors);
  }

  reset(mode: ResetMode): void {
    if (mode === "all" || mode === "error") this.#errors.clear();
    if (mode === "all") this.#counts.clear();
    if (mode === "maxmin")
      for (const count of this.#counts.values()) Object.assign(count, { maxLatency: 0, minLatency: 0 });
  }
}

const IDLE: Readonly<Count> = { bytes: 0, operations: 0, latency: 0, maxLatency: 0, minLatency: 0 };
