import { setTimeout } from "node:timers/promises";

import { expect, it } from "vitest";

import { childrenSettled, HostError, throwAll } from "./host-error.ts";

it("of work that was done at once the first error is thrown, and the children of all are waited for", async () => {
  let end: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => {
    end = resolve;
  });
  const wrapped = new Error("first", { cause: new HostError("TIMEOUT", "slow") });
  const results = await Promise.allSettled([
    Promise.resolve("fine"),
    Promise.reject(wrapped),
    Promise.reject(new HostError("TIMEOUT", "slower", { settled })),
  ]);
  expect(() => throwAll(results)).toThrow(wrapped);
  const all = childrenSettled(wrapped).then(() => "settled");
  expect(await Promise.race([all, setTimeout(20, "waiting")])).toBe("waiting");
  end();
  expect(await all).toBe("settled");
});

it("of work that went well nothing is thrown", async () => {
  throwAll(await Promise.allSettled([Promise.resolve(1), Promise.resolve(2)]));
});
