import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { paginate } from "./paginate.ts";

const key = (item: string): string => item;
const page = (items: readonly string[], maxEntries: number, startingToken = "") =>
  paginate(items, { maxEntries, startingToken }, { key });

/** Reads a list to its end; before each page but the first, `change` may change it. */
function readAll(items: readonly string[], maxEntries: number, change = (all: readonly string[]) => all): string[] {
  const seen: string[] = [];
  let [all, token] = [items, ""];
  for (;;) {
    const { entries, nextToken } = page(all, maxEntries, token);
    seen.push(...entries);
    if (nextToken === "") return seen;
    expect(entries).toHaveLength(maxEntries);
    expect(Buffer.byteLength(nextToken)).toBeLessThanOrEqual(128);
    [all, token] = [change(all), nextToken];
  }
}

const keys = fc.uniqueArray(fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ minLength: 60, maxLength: 128 })));
const size = fc.integer({ min: 1, max: 5 });

describe("pages", () => {
  it("together hold everything once, sorted by key", () => {
    expect(readAll(["b", "d", "a", "c"], 3)).toEqual(["a", "b", "c", "d"]);
    fc.assert(
      fc.property(keys, size, (all, max) => {
        expect(readAll(all, max).sort()).toEqual(all.toSorted());
      }),
    );
  });

  it("hold everything without a maximum", () => {
    expect(page(["b", "a"], 0)).toEqual({ entries: ["a", "b"], nextToken: "" });
    expect(page([], 0)).toEqual({ entries: [], nextToken: "" });
  });

  it("neither repeat nor hide what stays while others come and go", () => {
    fc.assert(
      fc.property(keys, keys, keys, size, (staying, going, coming, max) => {
        const others = new Set(staying);
        const change = (): string[] => [...staying, ...coming.filter((each) => !others.has(each))];
        const seen = readAll([...staying, ...going.filter((each) => !others.has(each))], max, change);
        expect(seen.filter((each) => others.has(each)).sort()).toEqual(staying.toSorted());
        expect(new Set(seen).size).toBe(seen.length);
      }),
    );
  });

  it("go on after an entry that is gone", () => {
    const { nextToken } = page(["a", "b", "c"], 2);
    expect(page(["a", "c"], 2, nextToken).entries).toEqual(["c"]);
  });

  it("end when nothing is left after the token", () => {
    const { nextToken } = page(["a", "b"], 1);
    expect(page(["a"], 1, nextToken)).toEqual({ entries: [], nextToken: "" });
  });

  it("tell long keys with one beginning apart, within the 128 bytes of a token", () => {
    const long = ["a", "b", "c", "d", "e", "f"].map((end) => "x".repeat(127) + end);
    expect(readAll(long, 2).sort()).toEqual(long);
  });
});

describe("a token", () => {
  it("is the same for the same entry", () => {
    expect(page(["a", "b"], 1).nextToken).toBe("cDE6YQ");
  });

  const foreign = Buffer.from("p2:a").toString("base64url");
  it.each(["invalid-token", "1", "a", foreign, "cDE6YQ==", "cDE6YQ\n"])("that is not ours is ABORTED: %j", (token) => {
    expect(() => page(["a", "b"], 1, token)).toThrow(expect.objectContaining({ code: "ABORTED" }));
  });
});
