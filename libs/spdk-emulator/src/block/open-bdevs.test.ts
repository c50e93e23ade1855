import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import type { Bdev } from "../bdev/bdev.ts";
import { diskBdev } from "../bdev/disk-bdev.ts";
import { Faults } from "../faults/faults.ts";
import { BlockFile } from "./block-file.ts";
import type { OpenBdev } from "./open-bdev.ts";
import { OpenBdevs } from "./open-bdevs.ts";

const CLIENT = { alive: () => true, close: () => undefined };
const WRITE = { kind: "write", ranges: [{ offset: 0, length: 3 }] } as const;

let dir: string;
let path: string;
let bdev: Bdev;
let faults: Faults;
let bdevs: OpenBdevs;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "open-bdevs-"));
  path = join(dir, "file");
  writeFileSync(path, "old");
  bdev = diskBdev({
    name: "disk",
    uuid: undefined,
    productName: "Malloc disk",
    blockSize: 512,
    numBlocks: 1n,
    file: path,
    open: () => new BlockFile(path),
    driverSpecific: () => ({}),
  });
  faults = new Faults({ crash: () => undefined, setHanging: () => undefined });
  bdevs = new OpenBdevs(faults);
});
afterEach(async () => {
  await bdevs.close();
  rmSync(dir, { recursive: true });
});

/** Writes as a host does; undefined when it was dropped. */
async function write(opened: OpenBdev, text: string, client = CLIENT): Promise<string | undefined> {
  return opened.submit(WRITE, client, async () => {
    await opened.write(Buffer.from(text), 0);
    return "written";
  });
}

it("opens a bdev once for all who use it, and closes it after the last", async () => {
  const opened = bdevs.acquire(bdev);
  expect(bdevs.acquire(bdev)).toBe(opened);
  bdevs.release(opened);
  expect(await write(opened, "one")).toBe("written");
  bdevs.release(opened);
  await opened.gate.pause();
  opened.gate.resume();
  await expect(write(opened, "two")).rejects.toThrow("is closed");
  expect(readFileSync(path, "utf8")).toBe("one");
});

it("goes on with the file that was put in its place while it was quiet", async () => {
  const opened = bdevs.acquire(bdev);
  expect(opened.read(0, 3)).toEqual(Buffer.from("old"));
  await bdevs.whileQuiet(bdev, async () => {
    rmSync(path);
    writeFileSync(path, "new");
  });
  expect(opened.read(0, 3)).toEqual(Buffer.from("new"));
  bdevs.release(opened);
});

it("lets no frozen write of a client that has gone land after the thaw", async () => {
  const opened = bdevs.acquire(bdev);
  const freeze = faults.add({ bdev: "disk", effect: "freeze" });
  let alive = true;
  const stale = write(opened, "bad", { alive: () => alive, close: () => undefined });
  const waits = write(opened, "new");
  alive = false;
  expect(readFileSync(path, "utf8")).toBe("old");
  faults.remove(freeze);
  expect(await stale).toBeUndefined();
  expect(await waits).toBe("written");
  expect(readFileSync(path, "utf8")).toBe("new");
});
