import { expect, it } from "vitest";

import { clustersIn } from "./lvol.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

it.each([
  ["nothing", 0, 0],
  ["less than before it was counted", -4 * KIB, 0],
  ["the smallest write", 4 * KIB, 1],
  ["a write and a list of extents", 8 * KIB, 1],
  ["one cluster", MIB, 1],
  ["48 clusters and a list of extents", 48 * MIB + 8 * KIB, 48],
  ["48 clusters in many extents", 48 * MIB + (48 * MIB) / 340, 48],
  ["48 clusters and half of one", 48.5 * MIB, 49],
  ["a thousand clusters, each block an extent", 1000 * MIB + (1000 * MIB) / 340, 1000],
])("a file that takes %s (%d bytes) holds %d clusters of 1 MiB", (_, bytes, clusters) => {
  expect(clustersIn(bytes, MIB)).toBe(clusters);
});
