import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { chooseCapacity, formatBytes, satisfies } from "./capacity.ts";

const MIB = 1024n ** 2n;
const GIB = 1024n ** 3n;
const RULES = { defaultBytes: GIB, granularityBytes: 4n * MIB };
const range = (requiredBytes: bigint, limitBytes = 0n) => ({ requiredBytes, limitBytes });

describe("the size of a volume", () => {
  it.each([
    ["the default without a range", undefined, GIB],
    ["the default for an empty range", range(0n), GIB],
    ["what is asked, rounded up", range(5n * MIB), 8n * MIB],
    ["below a limit that the default exceeds", range(0n, 10n * MIB), 8n * MIB],
    ["the limit itself", range(8n * MIB, 8n * MIB), 8n * MIB],
  ])("is %s", (_title, asked, expected) => {
    expect(chooseCapacity(asked, RULES)).toBe(expected);
  });

  it("is not below what the storage can give", () => {
    expect(chooseCapacity(range(1n), { ...RULES, minBytes: 9n * MIB })).toBe(12n * MIB);
    expect(chooseCapacity(undefined, { defaultBytes: 1n, minBytes: GIB })).toBe(GIB);
  });

  it("is the most that the storage can give when the default is more", () => {
    expect(chooseCapacity(undefined, { ...RULES, maxBytes: 15n * MIB })).toBe(12n * MIB);
  });

  it.each([
    [range(5n * MIB, 7n * MIB), {}, "at least 5 MiB and at most 7 MiB is asked", "in steps of 4 MiB"],
    [range(0n, 3n), {}, "at most 3 bytes is asked", "in steps of 4 MiB"],
    [range(2n * GIB), { maxBytes: GIB }, "at least 2 GiB is asked", "of 1 GiB or less"],
    [range(0n, MIB), { minBytes: 8n * MIB }, "at most 1 MiB is asked", "of 8 MiB or more"],
  ])("is refused as OUT_OF_RANGE when there is none, in words", (asked, own, wanted, offered) => {
    const choose = () => chooseCapacity(asked, { ...RULES, ...own });
    expect(choose).toThrow(expect.objectContaining({ code: "OUT_OF_RANGE" }));
    expect(choose).toThrow(wanted);
    expect(choose).toThrow(offered);
  });

  it("satisfies the request and the storage's rules, or there is none that does", () => {
    const bytes = fc.bigInt({ min: 0n, max: 64n });
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, fc.bigInt({ min: 1n, max: 9n }), bytes, (...all) => {
        const [requiredBytes, limitBytes, defaultBytes, minBytes, granularityBytes, maxBytes] = all;
        const asked = { requiredBytes, limitBytes };
        const isRight = (size: bigint): boolean =>
          size > 0n && satisfies(size, asked) && size % granularityBytes === 0n && size >= minBytes && size <= maxBytes;
        let chosen: bigint | undefined;
        try {
          chosen = chooseCapacity(asked, { defaultBytes, minBytes, granularityBytes, maxBytes });
        } catch (error) {
          expect(error).toMatchObject({ code: "OUT_OF_RANGE" });
        }
        const right = Array.from({ length: 80 }, (_, size) => BigInt(size)).filter(isRight);
        if (chosen === undefined) expect(right).toEqual([]);
        else if (requiredBytes > 0n) expect(chosen).toBe(right[0]);
        else expect(right).toContain(chosen);
      }),
      { numRuns: 2000 },
    );
  });

  it("needs a granularity", () => {
    expect(() => chooseCapacity(undefined, { defaultBytes: 1n, granularityBytes: 0n })).toThrow(TypeError);
  });
});

it.each([
  [undefined, true],
  [range(0n), true],
  [range(5n, 0n), true],
  [range(6n), false],
  [range(1n, 4n), false],
  [range(5n, 5n), true],
])("a volume of 5 bytes satisfies %o: %s", (asked, expected) => {
  expect(satisfies(5n, asked)).toBe(expected);
});

it("writes sizes in the largest unit that is exact", () => {
  expect([0n, 1000n, 1536n * MIB, 3n * GIB, 1024n ** 6n].map(formatBytes)).toEqual([
    "0 bytes",
    "1000 bytes",
    "1536 MiB",
    "3 GiB",
    "1024 PiB",
  ]);
});
