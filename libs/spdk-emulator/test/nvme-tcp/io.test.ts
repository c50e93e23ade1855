import { createHash, randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Host } from "./host.ts";
import { HostQueue } from "./initiator.ts";
import { ADDRESS, HOST_NQN, NQN, startTarget, type Target } from "./target.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

let target: Target;
let host: Host;

beforeEach(async () => {
  target = await startTarget();
  host = await Host.connect({ address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN, ioQueues: 4 });
});
afterEach(async () => {
  host.close();
  await target.close();
});

const sha = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

async function lvol(name = "lvs0/v"): Promise<{ clusters: number; file: string; uuid: string }> {
  const [bdev] = (await target.rpc("bdev_get_bdevs", { name })) as [
    { uuid: string; driver_specific: { lvol: { num_allocated_clusters: number } } },
  ];
  const file = target.emulator.lvolFile(bdev.uuid) ?? "";
  return { clusters: bdev.driver_specific.lvol.num_allocated_clusters, file, uuid: bdev.uuid };
}

describe("reads and writes", () => {
  it.each([512, 4 * KIB, 8 * KIB, 60 * KIB, 128 * KIB, MIB, 4 * MIB])(
    "of %i bytes come back as they were written, over four queues at once",
    async (size) => {
      const written = Array.from({ length: 4 }, () => randomBytes(size));
      await Promise.all(written.map((data, index) => host.write(index * 8 * MIB, data, { queue: host.queue(index) })));
      // Each through another queue than it was written by.
      const read = await Promise.all(
        written.map((_, index) => host.read(index * 8 * MIB, size, { queue: host.queue(index + 1) })),
      );
      expect(read.map(sha)).toEqual(written.map(sha));
    },
  );

  it("of many sizes at random places agree with a model", async () => {
    const model = Buffer.alloc(4 * MIB);
    for (let round = 0; round < 40; round += 1) {
      const writes = Array.from({ length: 8 }, (_, index) => {
        // Each in a part of its own, as writes that overlap have no order.
        const part = index * 512 * KIB;
        const length = 512 * (1 + Math.floor(Math.random() * 300));
        const offset = part + 512 * Math.floor(Math.random() * ((512 * KIB - length) / 512));
        return { offset, data: randomBytes(length), queue: host.queue(index) };
      });
      for (const { offset, data } of writes) data.copy(model, offset);
      await Promise.all(writes.map(({ offset, data, queue }) => host.write(offset, data, { queue })));
    }
    expect(sha(await host.read(0, model.length))).toBe(sha(model));
  });

  it("are refused beyond the end, of another length than the blocks, and of unknown namespaces", async () => {
    const queue = host.queue();
    const read = (nsid: number, start: number, count: number, readBytes: number) =>
      queue.send({ opcode: 2, nsid, dwords: [start, 0, count - 1], readBytes });
    expect(await read(1, 131071, 2, 1024)).toMatchObject({ status: 0x80, dnr: true });
    expect(await read(1, 0, 2, 512)).toMatchObject({ status: 0x0f, dnr: true });
    expect(await read(1, 0, 512, 512 * 512)).toMatchObject({ status: 0x02, dnr: true });
    expect(await read(9, 0, 1, 512)).toMatchObject({ status: 0x0b, dnr: true });
    expect(await queue.send({ opcode: 0x55, nsid: 1 })).toMatchObject({ status: 0x01, dnr: true });
  });

  it("are on the file when they are acknowledged, and flush takes every namespace", async () => {
    const data = randomBytes(256 * KIB);
    await host.write(MIB, data);
    const { file } = await lvol();
    const { readFileSync } = await import("node:fs");
    expect(sha(readFileSync(file).subarray(MIB, MIB + data.length))).toBe(sha(data));
    expect(await host.queue().send({ opcode: 0, nsid: 0xffffffff })).toMatchObject({ status: 0 });
  });
});

describe("what a dead connection left running", () => {
  it("never lands on what its host has written since on another one", async () => {
    for (let round = 0; round < 6; round += 1) {
      const dying = await HostQueue.open(ADDRESS, target.port);
      await dying.connect({ nqn: NQN, hostNqn: HOST_NQN, qid: 9, cntlid: host.cntlid });
      // Large enough to be given back by the child process, one piece after the other.
      const pieces = Array.from({ length: 32 }, (_, index) => [index * MIB, 512 * KIB] as const);
      const deallocation = Buffer.alloc(16 * pieces.length);
      for (const [index, [offset, length]] of pieces.entries()) {
        deallocation.writeUInt32LE(length / 512, 16 * index + 4);
        deallocation.writeBigUInt64LE(BigInt(offset / 512), 16 * index + 8);
      }
      const { capsule } = dying.encode({
        opcode: 9,
        nsid: 1,
        dwords: [pieces.length - 1, 4],
        write: deallocation,
        inCapsule: true,
      });
      await new Promise((resolve) => dying.socket.write(capsule, resolve));
      // An answer to what came behind it: the target has begun with it.
      await host.read(40 * MIB, 512, { queue: dying });
      await setTimeout(round);
      const closed = dying.closed;
      dying.close();
      await closed;
      // For the host the command has failed; it writes there on another connection.
      const data = randomBytes(4 * KIB);
      await host.write(31 * MIB, data);
      await setTimeout(150);
      expect(sha(await host.read(31 * MIB, data.length))).toBe(sha(data));
    }
  });
});

describe("what a volume takes", () => {
  it("is nothing while it is only read and zeroed, and grows with what is written", async () => {
    expect(sha(await host.read(0, 4 * MIB))).toBe(sha(Buffer.alloc(4 * MIB)));
    await host.writeZeroes(0, 8 * MIB);
    await host.deallocate([
      [0, 16 * MIB],
      [20 * MIB, 4 * KIB],
    ]);
    expect((await lvol()).clusters).toBe(0);
    await host.write(3 * MIB, randomBytes(2 * MIB));
    expect((await lvol()).clusters).toBe(2);
    await host.write(10 * MIB, randomBytes(512));
    await host.write(12 * MIB - 512, randomBytes(1024));
    expect((await lvol()).clusters).toBe(5);
    await host.deallocate([[10 * MIB, 2 * MIB]]);
    expect((await lvol()).clusters).toBe(3);
  });

  it("counts anew after a snapshot, what is written over the old bytes too", async () => {
    await host.write(0, randomBytes(4 * MIB));
    await target.rpc("bdev_lvol_snapshot", { lvol_name: "lvs0/v", snapshot_name: "s" });
    expect([(await lvol()).clusters, (await lvol("lvs0/s")).clusters]).toEqual([0, 4]);
    await host.write(MIB, randomBytes(MIB));
    expect([(await lvol()).clusters, (await lvol("lvs0/s")).clusters]).toEqual([1, 4]);
  });

  it("is given back by deallocate and Write Zeroes, which read as zeroes", async () => {
    const data = randomBytes(8 * MIB);
    await host.write(0, data);
    await host.deallocate([
      [0, 2 * MIB],
      [3 * MIB, 512],
    ]);
    await host.writeZeroes(4 * MIB, 2 * MIB);
    data
      .fill(0, 0, 2 * MIB)
      .fill(0, 3 * MIB, 3 * MIB + 512)
      .fill(0, 4 * MIB, 6 * MIB);
    expect(sha(await host.read(0, data.length))).toBe(sha(data));
    const { file } = await lvol();
    expect(statSync(file).blocks * 512).toBe(4 * MIB);
  });
});

describe("snapshots", () => {
  it("taken while a host writes two blocks in order have the first no older than the second", async () => {
    const running = new AbortController();
    let written = 0;
    const block = Buffer.alloc(4 * KIB);
    const writer = (async () => {
      while (!running.signal.aborted) {
        written += 1;
        block.writeUInt32LE(written, 0);
        await host.write(0, block, { queue: host.queue(0) });
        await host.write(40 * MIB, block, { queue: host.queue(1) });
      }
    })();
    await host.write(8 * MIB, randomBytes(16 * MIB), { queue: host.queue(2) });
    for (let n = 0; n < 20; n += 1) {
      await target.rpc("bdev_lvol_snapshot", { lvol_name: "lvs0/v", snapshot_name: `s${n}` });
      await setTimeout(5);
    }
    running.abort();
    await writer;
    const { openSync, readSync, closeSync } = await import("node:fs");
    for (let n = 0; n < 20; n += 1) {
      const fd = openSync((await lvol(`lvs0/s${n}`)).file, "r");
      const [first, second] = [0, 40 * MIB].map((offset) => {
        const value = Buffer.alloc(4);
        readSync(fd, value, 0, 4, offset);
        return value.readUInt32LE(0);
      });
      closeSync(fd);
      expect((first ?? 0) - (second ?? 0)).toBeOneOf([0, 1]);
    }
    expect(written).toBeGreaterThan(20);
  });

  it("and their clones are namespaces of their own: the one read-only, the other writable", async () => {
    const before = randomBytes(MIB);
    await host.write(0, before);
    await target.rpc("bdev_lvol_snapshot", { lvol_name: "lvs0/v", snapshot_name: "s" });
    await target.rpc("bdev_lvol_clone", { snapshot_name: "lvs0/s", clone_name: "c" });
    await target.rpc("nvmf_subsystem_add_ns", { nqn: NQN, namespace: { bdev_name: "lvs0/s" } });
    await target.rpc("nvmf_subsystem_add_ns", { nqn: NQN, namespace: { bdev_name: "lvs0/c" } });
    await host.write(0, randomBytes(MIB));
    await host.write(0, randomBytes(512), { nsid: 3 });
    expect(sha(await host.read(0, MIB, { nsid: 2 }))).toBe(sha(before));
    expect(sha(await host.read(512, MIB - 512, { nsid: 3 }))).toBe(sha(before.subarray(512)));
    await expect(host.write(0, randomBytes(512), { nsid: 2 })).rejects.toThrow("0x20");
  });
});
