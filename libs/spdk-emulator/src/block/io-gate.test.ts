import { setImmediate } from "node:timers/promises";

import { expect, it } from "vitest";

import { IoGate } from "./io-gate.ts";

const alive = (): boolean => true;

/** Work that ends when it is told to. */
function longWork(events: string[], name: string): { readonly work: () => Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const work = async (): Promise<void> => {
    await ended;
    events.push(name);
  };
  return { work, end: () => end() };
}

it("does work at once while nothing holds it", () => {
  expect(new IoGate().run(alive, () => 5)).toBe(5);
});

it("pauses when what runs has ended, and holds what comes until it is resumed", async () => {
  const gate = new IoGate();
  const events: string[] = [];
  const { work, end } = longWork(events, "ran");
  const running = gate.run(alive, work);
  const paused = gate.pause().then(() => events.push("paused"));
  const held = Promise.resolve(gate.run(alive, () => events.push("held")));
  await setImmediate();
  expect(events).toEqual([]);
  end();
  await Promise.all([running, paused]);
  await setImmediate();
  expect(events).toEqual(["ran", "paused"]);
  gate.resume();
  await held;
  expect(events.at(-1)).toBe("held");
});

it("drops what waited for a connection that has ended: its twin comes on another one", async () => {
  const gate = new IoGate();
  const written: string[] = [];
  await gate.pause();
  const stale = gate.run(
    () => false,
    () => written.push("old"),
  );
  const twin = gate.run(alive, () => written.push("new"));
  gate.resume();
  expect(await stale).toBeUndefined();
  await twin;
  expect(written).toEqual(["new"]);
});

it("lets what runs for a dead connection end before anything new begins", async () => {
  const gate = new IoGate();
  const events: string[] = [];
  const { work, end } = longWork(events, "old");
  const old = gate.run(alive, work);
  gate.settle();
  const twin = Promise.resolve(gate.run(alive, () => events.push("new")));
  await setImmediate();
  expect(events).toEqual([]);
  end();
  await Promise.all([old, twin]);
  expect(events).toEqual(["old", "new"]);
});

it("goes on after work that fails, in this turn or later", async () => {
  const gate = new IoGate();
  const fail = (): never => {
    throw new Error("disk");
  };
  expect(() => gate.run(alive, fail)).toThrow("disk");
  await expect(Promise.resolve(gate.run(alive, async () => fail()))).rejects.toThrow("disk");
  await gate.pause();
  gate.resume();
});
