import { describe, expect, it } from "vitest";

import { checkDriverName, toClassName } from "./driver-name.ts";

describe("a driver's name", () => {
  it.each(["a", "my-driver", "nfs4", "a".repeat(47)])("may be %s", (name) => {
    expect(() => checkDriverName(name)).not.toThrow();
  });

  it.each(["", "My-Driver", "4nfs", "-a", "a-", "a--b", "a_b", "a.b", "@org/a", "ä", "a\n"])(
    "must not be %j",
    (name) => {
      expect(() => checkDriverName(name)).toThrow("is no name for a driver: use lower-case letters");
    },
  );

  it("leaves room for a domain", () => {
    expect(() => checkDriverName("a".repeat(48))).toThrow("has 48 letters: 47 are allowed");
  });

  it("becomes the name of a class", () => {
    expect(["a", "my-driver", "nfs-4-fast"].map(toClassName)).toEqual(["A", "MyDriver", "Nfs4Fast"]);
  });
});
