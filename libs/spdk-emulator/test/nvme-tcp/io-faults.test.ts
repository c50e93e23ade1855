import { setTimeout } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { IoFault } from "../../src/index.ts";
import { blocks, Host } from "./host.ts";
import type { Outcome } from "./initiator.ts";
import { ADDRESS, HOST_NQN, NQN, startTarget, type Target } from "./target.ts";

const INTERNAL_ERROR = 0x006;
const MEDIA_ERROR = 0x281;

let target: Target;
let host: Host;
let crashes: number;
const connect = (): Promise<Host> =>
  Host.connect({ address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN, keepAliveMs: 200 });

beforeEach(async () => {
  crashes = 0;
  const onCrash = (): void => {
    crashes += 1;
  };
  target = await startTarget({ emulator: { onCrash } });
  host = await connect();
});
afterEach(async () => {
  host.close();
  await target.close();
});

const write = (offset: number, text: string): Promise<Outcome> => {
  const data = Buffer.alloc(512, text);
  return host.queue().send({ opcode: 1, nsid: 1, dwords: blocks(offset, 512), write: data, inCapsule: true });
};
const read = (offset: number): Promise<Outcome> =>
  host.queue().send({ opcode: 2, nsid: 1, dwords: blocks(offset, 512), readBytes: 512 });
const first = (outcome: Outcome): string => outcome.data.toString("latin1", 0, 1);
/** What a promise came to, or "waits". */
const state = (promise: Promise<Outcome>): Promise<string> =>
  Promise.race([
    promise.then(
      ({ status }) => `status ${status}`,
      (error: Error) => error.message,
    ),
    setTimeout(50, "waits"),
  ]);

describe("a fault of I/O", () => {
  it("fails what touches its range, without a word against a retry, and nothing beside it", async () => {
    target.emulator.addFault({ bdev: "lvs0/v", effect: "error", offset: 4096, length: 1024, status: MEDIA_ERROR });
    expect(await write(4096 - 512, "a")).toMatchObject({ status: 0 });
    expect(await write(4096, "b")).toMatchObject({ status: MEDIA_ERROR, dnr: false });
    expect(await read(4096 + 512)).toMatchObject({ status: MEDIA_ERROR, dnr: false });
    expect(await read(4096 + 1024)).toMatchObject({ status: 0 });
    target.emulator.clearFaults();
    expect(first(await read(4096))).toBe("\0");
  });

  it.each<[Partial<IoFault>, string, string]>([
    [{ io: "read" }, "fails", "succeeds"],
    [{ io: "write" }, "succeeds", "fails"],
    [{ bdev: "*" }, "fails", "fails"],
    [{ bdev: "Malloc0" }, "succeeds", "succeeds"],
    [{ bdev: "uuid" }, "fails", "fails"],
  ])("with %o: a read %s, a write %s", async (fields, reads, writes) => {
    const bdev = fields.bdev === "uuid" ? target.uuid : "lvs0/v";
    target.emulator.addFault({
      effect: "error",
      ...fields,
      bdev: fields.bdev === "uuid" ? bdev : (fields.bdev ?? bdev),
    });
    expect((await read(0)).status).toBe(reads === "fails" ? INTERNAL_ERROR : 0);
    expect((await write(0, "a")).status).toBe(writes === "fails" ? INTERNAL_ERROR : 0);
  });

  it("fails flushes, Write Zeroes and deallocation by their own names", async () => {
    for (const io of ["flush", "write_zeroes", "unmap"] as const)
      target.emulator.addFault({ bdev: "*", io, effect: "error" });
    expect(await host.queue().send({ opcode: 0, nsid: 1 })).toMatchObject({ status: INTERNAL_ERROR });
    await expect(host.writeZeroes(0, 4096)).rejects.toThrow("status 0x6");
    await expect(host.deallocate([[0, 4096]])).rejects.toThrow("status 0x6");
    expect(await write(0, "a")).toMatchObject({ status: 0 });
  });

  it("happens to the nth alone", async () => {
    target.emulator.addFault({ bdev: "lvs0/v", effect: "error", nth: 2 });
    const outcomes = [await write(0, "a"), await write(0, "b"), await write(0, "c")];
    expect(outcomes.map(({ status }) => status)).toEqual([0, INTERNAL_ERROR, 0]);
  });

  it("delays, and others go on meanwhile", async () => {
    target.emulator.addFault({ bdev: "*", io: "write", effect: "delay", delayMs: 150 });
    const began = performance.now();
    const slow = write(0, "a");
    expect(first(await read(0))).toBe("\0");
    expect(await slow).toMatchObject({ status: 0 });
    expect(performance.now() - began).toBeGreaterThan(140);
    expect(first(await read(0))).toBe("a");
  });

  it.each([
    ["before", "\0"],
    ["after", "a"],
  ] as const)("drops a write %s its effect: it is never completed", async (when, content) => {
    target.emulator.addFault({ bdev: "*", io: "write", effect: "drop", when });
    const dropped = write(0, "a");
    dropped.catch(() => undefined);
    expect(await state(dropped)).toBe("waits");
    expect(first(await read(0))).toBe(content);
  });

  it("closes the queue's connection; the admin queue stays", async () => {
    target.emulator.addFault({ bdev: "*", effect: "close", times: 1 });
    await expect(write(0, "a")).rejects.toThrow("closed the connection");
    expect((await host.identify(1)).length).toBe(4096);
  });

  it("freezes I/O until it is removed, while the host is kept alive", async () => {
    const id = target.emulator.addFault({ bdev: "lvs0/v", effect: "freeze" });
    const [frozen, reads] = [write(0, "a"), read(0)];
    for (let time = 0; time < 5; time += 1) {
      expect(await state(frozen)).toBe("waits");
      await host.admin.send({ opcode: 0x18 });
    }
    expect(await target.rpc("emulator_remove_fault", { id })).toBe(true);
    expect(await frozen).toMatchObject({ status: 0 });
    expect(first(await reads)).toBe("a");
  });

  it("hangs the whole target: nothing is answered, nobody is cut, and all goes on when faults are cleared", async () => {
    target.emulator.addFault({ bdev: "*", effect: "hang", times: 1 });
    const hung = write(0, "a");
    await setTimeout(20);
    const [admin, connecting] = [host.admin.send({ opcode: 0x18 }), connect()];
    // Longer than its keep-alive allows.
    await setTimeout(600);
    expect(await Promise.race([admin, connecting, target.rpc("spdk_get_version"), setTimeout(50, "waits")])).toBe(
      "waits",
    );
    await target.rpc("emulator_clear_faults");
    expect(await hung).toMatchObject({ status: 0 });
    expect(await admin).toMatchObject({ status: 0 });
    const other = await connecting;
    other.close();
  });

  it("crashes the target with a write in hand, whose effect was or was not", async () => {
    target.emulator.addFault({ bdev: "*", io: "write", effect: "crash", nth: 2 });
    expect(await write(0, "a")).toMatchObject({ status: 0 });
    await expect(write(0, "b")).rejects.toThrow("closed the connection");
    await setTimeout(50);
    expect(crashes).toBe(1);
  });

  it("is armed and listed by RPC, and refused where it names what is not", async () => {
    const fault = { bdev: "lvs0/v", io: "read", effect: "error", offset: 0, length: 512, status: MEDIA_ERROR };
    expect(await target.rpc("emulator_add_fault", fault)).toBe(1);
    expect(await read(0)).toMatchObject({ status: MEDIA_ERROR });
    expect(await target.rpc("emulator_get_faults")).toEqual([{ ...fault, id: 1, seen: 1 }]);
    await expect(target.rpc("emulator_add_fault", { ...fault, io: "trim" })).rejects.toThrow("io must be one of read,");
    await expect(target.rpc("emulator_add_fault", { ...fault, method: "x" })).rejects.toThrow("use bdev, effect");
    await expect(target.rpc("emulator_add_fault", { bdev: "*", effect: "melt" })).rejects.toThrow(
      "effect must be one of",
    );
  });
});
