import { expect, it } from "vitest";

import { KeyedQueue } from "./keyed-queue.ts";

it("runs work on one key one after the other, and goes on after a failure", async () => {
  const queue = new KeyedQueue();
  const seen: string[] = [];
  const work =
    (name: string, fails = false) =>
    async () => {
      seen.push(`${name} starts`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const results = await Promise.allSettled([
    queue.run("k", work("a", true)),
    queue.run("k", work("b")),
    queue.run("k", work("c")),
  ]);
  expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(seen).toEqual(["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
});

it("lets different keys run side by side", async () => {
  const queue = new KeyedQueue();
  let release = (): void => undefined;
  const blocked = queue.run("a", () => new Promise<void>((resolve) => (release = resolve)));
  await expect(queue.run("b", async () => "done")).resolves.toBe("done");
  release();
  await blocked;
});
