import { expect, it } from "vitest";

import { page } from "./paging.ts";

const key = (text: string): string => text;

it("pages cover the listing once, in order, even while it changes", () => {
  const first = page(["c", "a", "d", "b"], key, { maxEntries: 2, startingToken: "" });
  expect(first.entries).toEqual(["a", "b"]);
  const second = page(["aa", "c", "d", "e"], key, { maxEntries: 2, startingToken: first.nextToken });
  expect(second.entries).toEqual(["c", "d"]);
  expect(page(["c", "d", "e"], key, { maxEntries: 2, startingToken: second.nextToken })).toEqual({
    entries: ["e"],
    nextToken: "",
  });
});

it("no limit means everything, and no token", () => {
  expect(page(["b", "a"], key, { maxEntries: 0, startingToken: "" })).toEqual({ entries: ["a", "b"], nextToken: "" });
});

it("a token that was never handed out is refused", () => {
  expect(() => page(["a"], key, { maxEntries: 1, startingToken: "invalid-token" })).toThrow("starting_token");
});
