import { expect, it } from "vitest";

import { healthMessage } from "./health-message.ts";

it.each([
  ["short", "short"],
  ["a".repeat(128), "a".repeat(128)],
  ["a".repeat(129), `${"a".repeat(125)}…`],
  // A character of two bytes at the cut is left out whole.
  [`${"a".repeat(124)}äää`, `${"a".repeat(124)}…`],
])("%s fits into what CSI leaves", (text, fitting) => {
  expect(healthMessage(text)).toBe(fitting);
});
