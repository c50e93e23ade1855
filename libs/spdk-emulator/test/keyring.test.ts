import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { Keyring } from "../src/keyring.ts";

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "keyring-"));
  path = join(dir, "key0");
  writeFileSync(path, "DHHC-1:00:secret:\n", { mode: 0o600 });
});
afterEach(() => rmSync(dir, { recursive: true }));

it("gives the secret of a file, as it is now", () => {
  const keyring = new Keyring();
  keyring.add("key0", path);
  const key = keyring.take("key0");
  expect(key?.secret()).toBe("DHHC-1:00:secret:");
  writeFileSync(path, "DHHC-1:00:other:\n");
  expect(key?.secret()).toBe("DHHC-1:00:other:");
  chmodSync(path, 0o644);
  expect(key?.secret()).toBeUndefined();
  expect(keyring.take("key1")).toBeUndefined();
});

it("refuses files that are missing, relative or open to others", () => {
  const keyring = new Keyring();
  expect(() => keyring.add("a", join(dir, "none"))).toThrow("No such file or directory");
  expect(() => keyring.add("a", "key0")).toThrow("Operation not permitted");
  chmodSync(path, 0o640);
  expect(() => keyring.add("a", path)).toThrow("Operation not permitted");
});

it("lists a removed key, without its path, until nobody uses it", () => {
  const keyring = new Keyring();
  keyring.add("key0", path);
  const key = keyring.take("key0");
  keyring.remove("key0");
  expect(() => keyring.remove("key0")).toThrow("Required key not available");
  expect(keyring.all().map((each) => each.describe())).toEqual([
    { name: "key0", module: "keyring_file", removed: true, probed: false, refcnt: 2 },
  ]);
  expect(key?.secret()).toBeUndefined();
  key?.release();
  expect(keyring.all()).toEqual([]);
});
