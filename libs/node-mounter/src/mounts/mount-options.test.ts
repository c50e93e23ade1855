import { expect, it } from "vitest";

import { mergeMountOptions } from "./mount-options.ts";

it("lists are split at commas and joined, each option once, in order", () => {
  expect(mergeMountOptions(["noatime,discard", "commit=5"], ["discard", ""], [])).toEqual([
    "noatime",
    "discard",
    "commit=5",
  ]);
});

it.each([
  [["ro"], ["rw"]],
  [["noexec,exec"], []],
  [["relatime"], ["noatime"]],
  [["commit=5"], ["commit=60"]],
  [["nodiscard"], ["discard"]],
])("%j with %j is refused instead of the last one winning in silence", (left, right) => {
  expect(() => mergeMountOptions(left, right)).toThrow(expect.objectContaining({ code: "CONFLICTING_OPTIONS" }));
});
