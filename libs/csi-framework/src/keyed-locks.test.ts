import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { type Acquired, KeyedLocks } from "./keyed-locks.ts";

const forever = new AbortController().signal;
const WAIT = 5_000;

function release(acquired: Acquired): void {
  if (!("release" in acquired)) throw new Error(`not acquired: ${acquired.heldKey} is held`);
  acquired.release();
}

describe("locks", () => {
  it("are taken together or not at all", async () => {
    const locks = new KeyedLocks();
    const first = await locks.acquire(["a", "b"], 0, forever);
    expect(await locks.acquire(["c", "b"], 0, forever)).toEqual({ heldKey: "b" });
    // What was free is free still.
    release(await locks.acquire(["c"], 0, forever));
    release(first);
    release(await locks.acquire(["c", "b"], 0, forever));
  });

  it("that are released twice are not taken from somebody else", async () => {
    const locks = new KeyedLocks();
    const first = await locks.acquire(["a"], 0, forever);
    release(first);
    await locks.acquire(["a"], 0, forever);
    release(first);
    expect(await locks.acquire(["a"], 0, forever)).toEqual({ heldKey: "a" });
  });

  it("are waited for, in the order in which callers came", async () => {
    const locks = new KeyedLocks();
    const held = await locks.acquire(["a"], 0, forever);
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (number) => {
      const acquired = await locks.acquire(["a"], WAIT, forever);
      order.push(number);
      await sleep(1);
      release(acquired);
    });
    release(held);
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  it("are kept for one that waits for several, so that it gets its turn", async () => {
    const locks = new KeyedLocks();
    const a = await locks.acquire(["a"], 0, forever);
    const both = locks.acquire(["a", "b"], WAIT, forever);
    // b is free, but who came first wants it.
    expect(await locks.acquire(["b"], 0, forever)).toEqual({ heldKey: "b" });
    const later = locks.acquire(["b"], WAIT, forever);
    release(a);
    release(await both);
    release(await later);
  });

  it("are given up after the time, and by the signal, and then block nobody", async () => {
    const locks = new KeyedLocks();
    const a = await locks.acquire(["a"], 0, forever);
    const controller = new AbortController();
    const [late, aborted, behind] = [
      locks.acquire(["a", "b"], 10, forever),
      locks.acquire(["a"], WAIT, controller.signal),
      locks.acquire(["b"], WAIT, forever),
    ];
    expect(await late).toEqual({ heldKey: "a" });
    release(await behind);
    controller.abort();
    expect(await aborted).toEqual({ heldKey: "a" });
    release(a);
    release(await locks.acquire(["a", "b"], 0, forever));
  });
});
