import { beforeEach, describe, expect, it, vi } from "vitest";

import { Silence } from "./silence.ts";

let now = 0;
let silence: Silence;
const ask = vi.fn();
const signOf = () => "none" as const;
beforeEach(() => {
  now = 0;
  ask.mockReset();
  silence = new Silence({ ask, toError: (ms) => new Error(`silent for ${ms} ms`), now: () => now });
});

/** A call that can be answered; how it ends stands in `outcome`. */
function call() {
  let answer: () => void = () => undefined;
  let fail: () => void = () => undefined;
  const reply = new Promise<string>((resolve, reject) => {
    answer = () => resolve("answer");
    fail = () => reject(new Error("failed"));
  });
  const outcome = silence.whileHeard(reply, signOf).catch((error: Error) => error.message);
  return { answer, fail, outcome };
}

describe("silence", () => {
  it("ends the waiting of calls when nothing was heard for long, and further calls do not begin to wait", async () => {
    const { outcome } = call();
    now = 4_999;
    silence.look();
    silence.assertHeard();
    now = 6_000;
    silence.look();
    expect(await outcome).toBe("silent for 6000 ms");
    expect(() => silence.assertHeard()).toThrow("silent for 6000 ms");
  });

  it("is none where one call takes long and others are answered", async () => {
    const long = call();
    now = 4_000;
    const short = call();
    short.answer();
    expect(await short.outcome).toBe("answer");
    now = 8_000;
    silence.assertHeard();
    now = 9_000;
    expect(() => silence.assertHeard()).toThrow("silent for 5000 ms");
    expect(await long.outcome).toBe("silent for 5000 ms");
  });

  it("asks a target that takes long with its only call, and waits on when that is answered", () => {
    call();
    now = 1_999;
    silence.look();
    expect(ask).not.toHaveBeenCalled();
    now = 2_000;
    silence.look();
    silence.look();
    expect(ask).toHaveBeenCalledTimes(1);
    silence.heard();
    now = 6_000;
    silence.assertHeard();
  });

  it("outlasts the calls that gave up, and ends with the first sign", async () => {
    const { fail, outcome } = call();
    now = 7_000;
    fail();
    await outcome;
    now = 60_000;
    expect(() => silence.assertHeard()).toThrow("silent for 60000 ms");
    silence.heard();
    silence.assertHeard();
  });

  it("does not begin where calls end soon without an answer", async () => {
    const { fail, outcome } = call();
    fail();
    await outcome;
    now = 60_000;
    silence.assertHeard();
  });
});
