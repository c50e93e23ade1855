import { expect, it } from "vitest";

import { isBusy, isExists, isNoSpace, isNoSuchDevice } from "./error-predicates.ts";
import { SpdkConnectionError, SpdkRpcError } from "./errors.ts";

const predicates = { isNoSuchDevice, isExists, isNoSpace, isBusy };

it.each<[number, string, keyof typeof predicates | undefined]>([
  [-19, "No such device", "isNoSuchDevice"],
  [-32602, "No such device", "isNoSuchDevice"],
  [-32602, "Subsystem with NQN 'nqn.2026-07.io.test:nope' not found", "isNoSuchDevice"],
  [-32602, "Unable to find subsystem with NQN nqn.2026-07.io.test:nope", "isNoSuchDevice"],
  [-17, "File exists", "isExists"],
  [-32602, "File exists", "isExists"],
  [-32602, "Could not add auth group (1), File exists", "isExists"],
  [-32603, "Transport type 'TCP' already exists", "isExists"],
  [-28, "No space left on device", "isNoSpace"],
  [-32602, "No space left on device", "isNoSpace"],
  [-16, "Device or resource busy", "isBusy"],
  [-32603, "Device or resource busy", "isBusy"],
  [-32603, "subsystem busy, retry later.\n", "isBusy"],
  [-32603, "Subsystem currently in another state change try again later.", "isBusy"],
  [-32603, "Subsystem is already being destroyed.", "isBusy"],
  [-32602, "Failed to configure rate limit: Resource temporarily unavailable", "isBusy"],
  [-32602, "Invalid parameters", undefined],
  [-32601, "Method not found", undefined],
  [-2, "No such file or directory", undefined],
])("%d %j is known by its own predicate alone", (code, message, expected) => {
  const error = new SpdkRpcError("method", code, message);
  const found = Object.entries(predicates).filter(([, predicate]) => predicate(error));
  expect(found.map(([name]) => name)).toEqual(expected === undefined ? [] : [expected]);
});

it("errors of another kind match no predicate", () => {
  const error = new SpdkConnectionError("method", "lost", "No such device", { maybeExecuted: true });
  expect(Object.values(predicates).some((predicate) => predicate(error) || predicate(undefined))).toBe(false);
});
