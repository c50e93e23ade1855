import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { BlockFile } from "./block-file.ts";

const MIB = 1024 * 1024;

let dir: string;
let path: string;
let file: BlockFile;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "block-file-"));
  path = join(dir, "file");
  writeFileSync(path, "");
  truncateSync(path, 16 * MIB);
  file = new BlockFile(path);
});
afterEach(() => {
  file.close();
  rmSync(dir, { recursive: true });
});

it("reads zeroes where nothing was written, and beyond the end", () => {
  expect(file.read(15 * MIB, 2 * MIB)).toEqual(Buffer.alloc(2 * MIB));
  file.write(Buffer.from("abc"), 5);
  expect(file.read(4, 5).toString("latin1")).toBe("\0abc\0");
});

it("is of no use once it is closed", () => {
  file.write(Buffer.from("a"), 0);
  file.close();
  expect(() => file.write(Buffer.from("b"), 0)).toThrow("is closed");
});

it("deallocates large and small ranges of one command, also together with others", async () => {
  file.write(Buffer.alloc(8 * MIB, 1), 0);
  await Promise.all([
    file.deallocate([
      { offset: 0, length: MIB },
      { offset: 2 * MIB, length: 512 },
    ]),
    file.deallocate(Array.from({ length: 8 }, (_, n) => ({ offset: 4 * MIB + n * 262144, length: 131072 }))),
  ]);
  const wanted = Buffer.alloc(8 * MIB, 1)
    .fill(0, 0, MIB)
    .fill(0, 2 * MIB, 2 * MIB + 512);
  for (let n = 0; n < 8; n += 1) wanted.fill(0, 4 * MIB + n * 262144, 4 * MIB + n * 262144 + 131072);
  expect(
    readFileSync(path)
      .subarray(0, 8 * MIB)
      .equals(wanted),
  ).toBe(true);
  expect(statSync(path).blocks * 512).toBeLessThanOrEqual(6 * MIB + 4096);
});
