import { setTimeout } from "node:timers/promises";

import type { Bdev } from "../bdev/bdev.ts";
import type { IoFault } from "../faults/fault.ts";
import type { ArmedFault, Faults } from "../faults/faults.ts";
import { nextIoFault, strikeIo } from "../faults/io-faults.ts";
import type { BdevIo, IoClient } from "./bdev-io.ts";
import type { BlockDevice, ByteRange } from "./block-device.ts";
import { IoGate } from "./io-gate.ts";
import { type CountedIo, IoStatistics } from "./io-statistics.ts";
import { RateLimiter } from "./rate-limiter.ts";

const NANOSECONDS_PER_MS = 1_000_000;

/** A bdev that somebody has open. All I/O of hosts comes by here: it meets limits, faults and pauses, and is counted. */
export class OpenBdev {
  readonly bdev: Bdev;
  readonly gate: IoGate = new IoGate();
  readonly #faults: Faults;
  readonly #limiter: RateLimiter;
  #device: BlockDevice | undefined;
  #closed = false;

  constructor(bdev: Bdev, faults: Faults) {
    this.bdev = bdev;
    this.#faults = faults;
    this.#limiter = new RateLimiter(bdev.limits);
  }

  /**
   * Lets the work of an I/O begin: at once where nothing is in its way. What had to wait is dropped, and undefined, when
   * its client has gone meanwhile.
   */
  submit<T>(io: BdevIo, client: IoClient, work: () => T | Promise<T>): T | undefined | Promise<T | undefined> {
    const fault = nextIoFault(this.#faults, this.bdev, io);
    const waitMs = this.#limiter.take(io, performance.now());
    if (fault === undefined && waitMs === 0) return this.gate.run(client.alive, work);
    return this.#submitLate(client, work, waitMs, fault);
  }

  async #submitLate<T>(
    client: IoClient,
    work: () => T | Promise<T>,
    waitMs: number,
    fault: ArmedFault<IoFault> | undefined,
  ): Promise<T | undefined> {
    if (waitMs > 0) await setTimeout(waitMs, undefined, { ref: false });
    const late = fault?.fault.when === "after";
    if (fault !== undefined && !late && !(await this.#strike(fault, client))) return undefined;
    if (!client.alive()) return undefined;
    const done = await this.gate.run(client.alive, work);
    return fault !== undefined && late && !(await this.#strike(fault, client)) ? undefined : done;
  }

  async #strike(fault: ArmedFault<IoFault>, client: IoClient): Promise<boolean> {
    try {
      return await strikeIo(this.#faults, fault, client);
    } catch (error) {
      this.#count((statistics) => statistics.addError());
      throw error;
    }
  }

  read(offset: number, length: number): Buffer | Promise<Buffer> {
    return this.#counted("read", length, () => this.#open().read(offset, length));
  }

  write(data: Buffer, offset: number): void | Promise<void> {
    this.bdev.onWrite?.(offset, data.length);
    return this.#counted("write", data.length, () => this.#open().write(data, offset));
  }

  flush(): Promise<void> {
    return this.#open().flush();
  }

  /** Makes ranges read as zeroes: as unmap, which is counted, or as write_zeroes, which SPDK does not count. */
  async deallocate(ranges: readonly ByteRange[], kind: "unmap" | "write_zeroes"): Promise<void> {
    // Before: what is written meanwhile stays counted.
    for (const { offset, length } of ranges) this.bdev.onDeallocate?.(offset, length);
    const work = (): Promise<void> => this.#open().deallocate(ranges);
    const bytes = ranges.reduce((sum, { length }) => sum + length, 0);
    await (kind === "unmap" ? this.#counted(kind, bytes, work) : work());
  }

  /** Opens the device anew with the next I/O: another file may be there. Nothing may run meanwhile. */
  reopen(): void {
    this.#device?.close();
    this.#device = undefined;
  }

  close(): void {
    this.#closed = true;
    this.reopen();
  }

  #open(): BlockDevice {
    if (this.#closed) throw new Error(`${this.bdev.name} is closed`);
    this.#device ??= this.bdev.open();
    return this.#device;
  }

  #counted<T>(kind: CountedIo, bytes: number, work: () => T | Promise<T>): T | Promise<T> {
    const begun = performance.now();
    const succeeded = (result: T): T => {
      const latency = Math.round((performance.now() - begun) * NANOSECONDS_PER_MS);
      this.#count((statistics) => statistics.add(kind, bytes, latency));
      return result;
    };
    const failed = (error: unknown): never => {
      this.#count((statistics) => statistics.addError());
      throw error;
    };
    try {
      const result = work();
      return result instanceof Promise ? result.then(succeeded, failed) : succeeded(result);
    } catch (error) {
      return failed(error);
    }
  }

  /** What is done to an lvol is done to its lvstore's base too. */
  #count(add: (statistics: IoStatistics) => void): void {
    for (let bdev: Bdev | undefined = this.bdev; bdev !== undefined; bdev = bdev.base) {
      bdev.statistics ??= new IoStatistics();
      add(bdev.statistics);
    }
  }
}
