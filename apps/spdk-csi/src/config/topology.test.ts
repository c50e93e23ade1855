import { expect, it } from "vitest";

import { findTopologyProblem } from "./topology.ts";

it.each([
  ["zone", "a"],
  ["topology.kubernetes.io/zone", "eu-1.b_2"],
  ["csi.spdk.io/Rack", "7"],
  ["a".repeat(63), "b".repeat(63)],
])("%s=%s is a segment", (key, value) => {
  expect(findTopologyProblem(key, value)).toBeUndefined();
});

it.each([
  ["", "a", "key"],
  ["/zone", "a", "key"],
  ["a.io/", "a", "key"],
  ["A.io/zone", "a", "key"],
  ["a..io/zone", "a", "key"],
  ["a/b/c", "a", "key"],
  ["-zone", "a", "key"],
  [`${"a".repeat(64)}/zone`, "a", "key"],
  ["a".repeat(64), "a", "key"],
  ["zone", "", "value"],
  ["zone", "a b", "value"],
  ["zone", "a\n", "value"],
  ["zone", "a".repeat(64), "value"],
])("%j=%j is none: the %s is wrong", (key, value, part) => {
  expect(findTopologyProblem(key, value)).toContain(`must have a ${part}`);
});
