import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Host } from "./host.ts";
import { ADDRESS, HOST_NQN, NQN, startTarget, type Target } from "./target.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

type Counters = Readonly<Record<string, number>>;

let target: Target;
let host: Host;
beforeEach(async () => {
  target = await startTarget();
  host = await Host.connect({ address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN });
});
afterEach(async () => {
  host.close();
  await target.close();
});

async function iostat(params: object): Promise<Counters> {
  const { bdevs } = (await target.rpc("bdev_get_iostat", params)) as { bdevs: [Counters] };
  return bdevs[0];
}

describe("bdev_get_iostat", () => {
  it("counts what hosts do to an lvol, on its lvstore's base too", async () => {
    await host.write(0, Buffer.alloc(256 * KIB, 1));
    await host.read(0, 4 * KIB);
    await host.read(0, 4 * KIB);
    await host.deallocate([
      [0, 64 * KIB],
      [128 * KIB, 64 * KIB],
    ]);
    const counted = {
      bytes_written: 256 * KIB,
      num_write_ops: 2,
      bytes_read: 8 * KIB,
      num_read_ops: 2,
      bytes_unmapped: 128 * KIB,
      num_unmap_ops: 1,
      bytes_copied: 0,
      io_error: {},
    };
    for (const name of ["lvs0/v", "Malloc0"]) expect(await iostat({ names: [name] })).toMatchObject(counted);
    const {
      read_latency_ticks = 0,
      max_read_latency_ticks = 0,
      min_read_latency_ticks = 0,
    } = await iostat({
      names: ["lvs0/v"],
    });
    expect(min_read_latency_ticks).toBeGreaterThan(0);
    expect(max_read_latency_ticks).toBeGreaterThanOrEqual(min_read_latency_ticks);
    expect(read_latency_ticks).toBe(max_read_latency_ticks + min_read_latency_ticks);
  });

  it("counts failures, and forgets what it is told to", async () => {
    target.emulator.addFault({ bdev: "lvs0/v", io: "read", effect: "error" });
    await host.write(0, Buffer.alloc(4 * KIB, 1));
    await expect(host.read(0, 512)).rejects.toThrow("status");
    expect(await iostat({ names: ["lvs0/v"] })).toMatchObject({ num_read_ops: 0, io_error: { failed: 1 } });
    await target.rpc("bdev_reset_iostat", { name: "lvs0/v", mode: "maxmin" });
    expect(await iostat({ names: ["lvs0/v"] })).toMatchObject({ num_write_ops: 1, max_write_latency_ticks: 0 });
    await target.rpc("bdev_reset_iostat");
    expect(await iostat({ names: ["lvs0/v"] })).toMatchObject({ num_write_ops: 0, io_error: {} });
  });

  it("tells the channel of a bdev that is exported", async () => {
    await host.write(0, Buffer.alloc(4 * KIB, 1));
    expect(await target.rpc("bdev_get_iostat", { names: ["lvs0/v"], per_channel: true })).toMatchObject({
      name: target.uuid,
      channels: [{ thread_id: 2, num_write_ops: 1 }],
    });
  });
});

describe("bdev_set_qos_limit", () => {
  /** How long work takes, in ms. */
  async function timed(work: () => Promise<unknown>): Promise<number> {
    const began = performance.now();
    await work();
    return performance.now() - began;
  }

  it("holds reads and writes to so many a second", async () => {
    await target.rpc("bdev_set_qos_limit", { name: "lvs0/v", rw_ios_per_sec: 1000 });
    const reads = async (): Promise<void> => {
      for (let round = 0; round < 10; round += 1)
        await Promise.all(Array.from({ length: 20 }, (_, index) => host.read(index * 512, 512)));
    };
    expect(await timed(reads)).toBeGreaterThan(180);
  });

  it.each([
    ["w_mbytes_per_sec", "writes"],
    ["rw_mbytes_per_sec", "writes"],
    ["r_mbytes_per_sec", "reads"],
  ] as const)("holds %s: 8 MiB at 32 MiB/s take a quarter of a second", async (limit, direction) => {
    await target.rpc("bdev_set_qos_limit", { name: "lvs0/v", [limit]: 32 });
    const work = (): Promise<unknown> =>
      direction === "writes" ? host.write(0, Buffer.alloc(8 * MIB, 1)) : host.read(0, 8 * MIB);
    expect(await timed(work)).toBeGreaterThan(230);
  });

  it("never lets a write of a host that has gone land behind the limit", async () => {
    await target.rpc("bdev_set_qos_limit", { name: "lvs0/v", w_mbytes_per_sec: 1 });
    const writes = host.write(0, Buffer.alloc(MIB, 1));
    writes.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    host.close();
    await expect(writes).rejects.toThrow("closed");
    const { num_write_ops: before } = await iostat({ names: ["lvs0/v"] });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await iostat({ names: ["lvs0/v"] }))["num_write_ops"]).toBe(before);
  });
});
