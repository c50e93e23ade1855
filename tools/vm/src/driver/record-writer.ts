import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

import type { NodeMachine } from "./node-machine.ts";
import type { RecordsFound } from "./records-found.ts";
import type { RemoteCommand } from "./remote-commands.ts";

const RECORDS = join(import.meta.dirname, "../guest/driver/records.ts");
const run = promisify(execFile);

/** A pod that writes records, each on the disk before the next. */
export class RecordWriter {
  readonly #command: RemoteCommand;
  /** Why it ended by itself. */
  #failure: unknown;
  #isOver = false;
  #acknowledged: number;
  #slowestMs = 0;
  #lastAt = performance.now();

  /** It begins at once, with the record of number `from`. */
  constructor(node: NodeMachine, path: string, name: string, from = 0) {
    this.#acknowledged = from;
    this.#command = node.begin(node.records("write", path, name, String(from)), (line) => {
      const [records = 0, ms = 0] = line.split(" ").map(Number);
      this.#acknowledged = records;
      this.#slowestMs = Math.max(this.#slowestMs, ms);
      this.#lastAt = performance.now();
    });
    this.#command.ended.then(
      () => this.#end(new Error("the writer has ended")),
      (error: unknown) => this.#end(error),
    );
  }

  /** The records of which it said that they are on the disk. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** How long the slowest record took since this was last asked, in milliseconds. */
  takeSlowestMs(): number {
    const slowest = this.#slowestMs;
    this.#slowestMs = 0;
    return slowest;
  }

  /** How long ago the last record was written, in milliseconds. */
  get silentMs(): number {
    return performance.now() - this.#lastAt;
  }

  /** Waits until so many more are on the disk. */
  async more(records: number, timeoutMs = 60_000): Promise<void> {
    const wanted = this.#acknowledged + records;
    const deadline = Date.now() + timeoutMs;
    while (this.#acknowledged < wanted) {
      this.assertWriting();
      if (Date.now() > deadline)
        throw new Error(`the writer is at ${this.#acknowledged}, not at ${wanted}, after ${timeoutMs / 1000} s`);
      await setTimeout(20);
    }
  }

  /** Throws when it has ended by itself: with an error of I/O, for one. */
  assertWriting(): void {
    if (this.#isOver) throw this.#failure;
  }

  /** Kills it; throws when it had ended by itself. */
  async stop(): Promise<void> {
    this.assertWriting();
    await this.kill();
  }

  /** Kills it if it has not ended. What waits in the kernel ends when that lets it. */
  async kill(): Promise<void> {
    this.#command.kill();
    await this.#command.ended.catch(() => undefined);
  }

  #end(why: unknown): void {
    this.#isOver = true;
    this.#failure = why;
  }
}

/** Throws unless all that was acknowledged is there, and nothing behind a gap. */
export function assertWhole({ records, beyond }: RecordsFound, acknowledged: number): void {
  if (records < acknowledged || beyond > 0)
    throw new Error(`${records} records where ${acknowledged} were acknowledged, and ${beyond} behind a gap`);
}

/** The records that a node finds. */
export async function readRecords(node: NodeMachine, path: string, name: string): Promise<RecordsFound> {
  return JSON.parse(await node.sh(node.records("read", path, name)));
}

/** The records in a file of this machine, such as a target's. */
export async function readRecordsHere(path: string, name: string): Promise<RecordsFound> {
  const { stdout } = await run(process.execPath, [RECORDS, "read", path, name]);
  return JSON.parse(stdout);
}
