// Numbered records with a content that nobody else writes, one behind the other in a file or on a device.
// Usage: node guest/driver/records.ts write PATH RUN [FROM] | read PATH RUN
// The writer prints the number of records that are on the disk, and the milliseconds that the last one took.
import { createHash } from "node:crypto";
import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

import { RECORD_BYTES, type RecordsFound } from "../../driver/records-found.ts";

const CHUNK_RECORDS = 256;
const EMPTY = Buffer.alloc(RECORD_BYTES);

/** A record's bytes, which follow from its number and the name of the run. */
function record(run: string, number: number): Buffer {
  return Buffer.alloc(RECORD_BYTES, createHash("sha256").update(`${run} ${number}`).digest());
}

/** Writes record after record, each on the disk before the next, until it is killed or the disk says no. */
function write(path: string, run: string, from: number): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT);
  for (let number = from; ; number++) {
    const start = performance.now();
    writeSync(file, record(run, number), 0, RECORD_BYTES, number * RECORD_BYTES);
    fdatasyncSync(file);
    process.stdout.write(`${number + 1} ${Math.round(performance.now() - start)}\n`);
  }
}

/** Finds what is there: the records without a gap from the first on, and what else stands behind them. */
function read(path: string, run: string): RecordsFound {
  const file = openSync(path, "r");
  const chunk = Buffer.alloc(CHUNK_RECORDS * RECORD_BYTES);
  const found = { records: 0, torn: false, beyond: 0 };
  let whole = true;
  const size = fstatSync(file).size;
  for (let number = 0; ; ) {
    const bytes = readSync(file, chunk, 0, chunk.length, number * RECORD_BYTES);
    if (bytes === 0) break;
    for (let at = 0; at < bytes; at += RECORD_BYTES, number++) {
      const each = chunk.subarray(at, Math.min(at + RECORD_BYTES, bytes));
      if (whole && each.equals(record(run, number))) found.records += 1;
      else if (each.equals(EMPTY.subarray(0, each.length))) whole = false;
      else if (whole) {
        // The one that was under way.
        found.torn = true;
        whole = false;
      } else found.beyond += 1;
    }
    if (size > 0 && number * RECORD_BYTES >= size) break;
  }
  closeSync(file);
  return found;
}

const [what = "", path = "", run = "", from = "0"] = process.argv.slice(2);
if (what === "write") write(path, run, Number(from));
else process.stdout.write(`${JSON.stringify(read(path, run))}\n`);
