import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hashedName, isPlainName } from "./names.ts";

describe("a plain name", () => {
  it.each(["pvc-0c1a", "a", "A_b.c-9"])("can be used as it is: %s", (name) => {
    expect(isPlainName(name, 63)).toBe(true);
  });

  it.each(["", "-a", ".hidden", "..", "a/b", "a b", "ä", "a\n", "a".repeat(64)])("is none: %j", (name) => {
    expect(isPlainName(name, 63)).toBe(false);
  });
});

describe("a hashed name", () => {
  it("is the same for ever", () => {
    expect(hashedName("v-", "pvc-1")).toBe("v-f2868e1aa7cab669517cd9f5ab1b7957c0b92df3");
  });

  it("is plain, as long as it may be, and another for another name", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 22, max: 80 }), (one, other, maxBytes) => {
        const name = hashedName("v-", one, maxBytes);
        expect(isPlainName(name, maxBytes)).toBe(true);
        expect(name).toHaveLength(Math.min(maxBytes, 42));
        expect(hashedName("v-", other, maxBytes) === name).toBe(one === other);
      }),
    );
  });

  it("is refused where names would get mixed up", () => {
    expect(() => hashedName("volume-", "pvc-1", 26)).toThrow('"volume-" leaves 19 of 26 bytes for a hash');
  });
});
