import { closeSync, constants, fdatasync, openSync, readSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";

import type { BlockDevice, ByteRange } from "./block-device.ts";
import { HolePuncher } from "./hole-puncher.ts";

/** Below this, zeroes cost less than a child process that punches a hole. */
const PUNCH_FROM_BYTES = 64 * 1024;
/** What is zeroed at once, so that the event loop goes on. */
const ZEROED_AT_ONCE_BYTES = 1024 * 1024;
const ZEROES = Buffer.alloc(ZEROED_AT_ONCE_BYTES);

const sync = promisify(fdatasync);

/**
 * A sparse file as a device. Reads and writes go to the page cache and are synchronous: some microseconds each, where a
 * hop to a thread would cost more, and done when they are acknowledged.
 */
export class BlockFile implements BlockDevice {
  readonly #path: string;
  #fd: number | undefined;
  #puncher: HolePuncher | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  read(offset: number, length: number): Buffer {
    const data = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const got = readSync(this.#open(), data, at, length - at, offset + at);
      if (got === 0) {
        data.fill(0, at);
        break;
      }
      at += got;
    }
    return data;
  }

  write(data: Buffer, offset: number): void {
    for (let at = 0; at < data.length; ) at += writeSync(this.#open(), data, at, data.length - at, offset + at);
  }

  flush(): Promise<void> {
    return sync(this.#open());
  }

  async deallocate(ranges: readonly ByteRange[]): Promise<void> {
    for (const range of ranges) {
      const punched = range.length >= PUNCH_FROM_BYTES && (await this.#punch(range));
      if (!punched) await this.#zero(range);
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#puncher?.close();
    this.#puncher = undefined;
  }

  /** Writes zeroes where there is anything else, so that holes stay holes. */
  async #zero({ offset, length }: ByteRange): Promise<void> {
    for (let at = 0; at < length; at += ZEROED_AT_ONCE_BYTES) {
      if (at > 0) await setImmediate();
      const zeroes = ZEROES.subarray(0, Math.min(ZEROED_AT_ONCE_BYTES, length - at));
      if (!this.read(offset + at, zeroes.length).equals(zeroes)) this.write(zeroes, offset + at);
    }
  }

  #punch(range: ByteRange): Promise<boolean> {
    this.#puncher ??= new HolePuncher(this.#path);
    return this.#puncher.punch(range);
  }

  #open(): number {
    if (this.#closed) throw new Error(`${this.#path} is closed`);
    this.#fd ??= openSync(this.#path, constants.O_RDWR);
    return this.#fd;
  }
}
