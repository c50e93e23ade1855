import { setTimeout } from "node:timers/promises";

import { expect, it } from "vitest";

import { HostError } from "./host/host-error.ts";
import { KeyedQueue } from "./keyed-queue.ts";

it("work on one key is done in order, also after a failure", async () => {
  const queue = new KeyedQueue();
  const done: string[] = [];
  const work = (name: string, fail = false) =>
    queue.run("a", async () => {
      await setTimeout(5);
      done.push(name);
      if (fail) throw new Error(name);
    });
  const results = await Promise.allSettled([work("first"), work("second", true), work("third")]);
  expect(done).toEqual(["first", "second", "third"]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

it("another key does not wait", async () => {
  const queue = new KeyedQueue();
  void queue.run("a", () => new Promise(() => undefined));
  expect(await queue.run("b", async () => "done")).toBe("done");
});

it("a turn lasts until the children of its work have ended", async () => {
  const queue = new KeyedQueue();
  let end: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => {
    end = resolve;
  });
  const first = queue.run("a", async () => {
    throw new HostError("TIMEOUT", "slow", { settled });
  });
  await expect(first).rejects.toThrow("slow");
  const second = queue.run("a", async () => "second");
  expect(await Promise.race([second, setTimeout(20, "waiting")])).toBe("waiting");
  end();
  expect(await second).toBe("second");
});

it("who does not wait long enough is refused, and its work is not begun", async () => {
  const queue = new KeyedQueue();
  let end: () => void = () => undefined;
  void queue.run("a", () => new Promise<void>((resolve) => (end = resolve)));
  let begun = false;
  const work = async () => {
    begun = true;
  };
  await expect(queue.run("a", work, { timeoutMs: 10 })).rejects.toMatchObject({ code: "TIMEOUT" });
  await expect(queue.run("a", work, { signal: AbortSignal.timeout(10) })).rejects.toMatchObject({ code: "ABORTED" });
  end();
  expect(await queue.run("a", async () => "third")).toBe("third");
  expect(begun).toBe(false);
});
