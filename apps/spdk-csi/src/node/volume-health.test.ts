import { expect, it } from "vitest";

import { MEANING } from "./volume-health.ts";

it.each(Object.entries(MEANING))("%s is told within CSI's limits", (_, { status, reason, message }) => {
  expect(status).toBeGreaterThan(0);
  expect(reason).toMatch(/^(?:[A-Z][a-z]+)+$/);
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(128);
});

it("no two defects have one reason", () => {
  const reasons = Object.values(MEANING).map(({ reason }) => reason);
  expect(new Set(reasons).size).toBe(reasons.length);
});
