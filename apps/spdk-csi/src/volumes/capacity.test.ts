import { describe, expect, it } from "vitest";

import { fits, humanBytes, MAX_VOLUME_SIZE_BYTES, volumeSize } from "./capacity.ts";

const MIB = 1024n ** 2n;
const CLUSTER = 4n * MIB;

describe("the size of a volume", () => {
  it("is 1 GiB when nothing is asked", () => {
    expect(volumeSize(undefined, CLUSTER)).toBe(1024n * MIB);
  });

  it("is rounded up to whole clusters", () => {
    expect(volumeSize({ requiredBytes: 5n * MIB, limitBytes: 0n }, CLUSTER)).toBe(8n * MIB);
    expect(volumeSize({ requiredBytes: 1n, limitBytes: 0n }, 64n * 1024n)).toBe(MIB);
  });

  it("respects the limit, also where only a limit is given", () => {
    expect(volumeSize({ requiredBytes: 0n, limitBytes: 10n * MIB }, CLUSTER)).toBe(8n * MIB);
    expect(() => volumeSize({ requiredBytes: 5n * MIB, limitBytes: 7n * MIB }, CLUSTER)).toThrow("over the limit");
    expect(() => volumeSize({ requiredBytes: 0n, limitBytes: 3n * MIB }, CLUSTER)).toThrow("limit");
  });

  it("is never smaller than the source", () => {
    expect(volumeSize(undefined, CLUSTER, 12n * MIB)).toBe(12n * MIB);
    expect(() => volumeSize({ requiredBytes: 8n * MIB, limitBytes: 0n }, CLUSTER, 12n * MIB)).toThrow("source");
  });

  it("has a cap, because huge lvols stall or kill targets", () => {
    expect(() => volumeSize({ requiredBytes: MAX_VOLUME_SIZE_BYTES + 1n, limitBytes: 0n }, CLUSTER)).toThrow("at most");
    expect(() => volumeSize({ requiredBytes: 2n ** 63n - 1n, limitBytes: 0n }, CLUSTER)).toThrow("at most");
  });
});

it("an existing size fits a range that holds it", () => {
  expect(fits(8n, undefined)).toBe(true);
  expect(fits(8n, { requiredBytes: 8n, limitBytes: 0n })).toBe(true);
  expect(fits(8n, { requiredBytes: 9n, limitBytes: 0n })).toBe(false);
  expect(fits(8n, { requiredBytes: 1n, limitBytes: 7n })).toBe(false);
});

it("bytes are written for people", () => {
  expect(humanBytes(0n)).toBe("0 B");
  expect(humanBytes(1536n)).toBe("1.5 KiB");
  expect(humanBytes(64n * 1024n ** 3n)).toBe("64 GiB");
});
