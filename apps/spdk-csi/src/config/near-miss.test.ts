import { expect, it } from "vitest";

import { nearMiss } from "./near-miss.ts";

const KNOWN = ["rpcURL", "targetType", "targetAddr", "tls", "h"];

it.each([
  ["rpcUrl", "rpcURL"],
  ["RPCURLS", "rpcURL"],
  ["tragetAddr", "targetAddr"],
  ["TLS", "tls"],
  ["tld", "tls"],
  ["x", undefined],
  ["secret", undefined],
  ["", undefined],
])("%j is taken for %j", (word, meant) => {
  expect(nearMiss(word, KNOWN)).toBe(meant);
});
