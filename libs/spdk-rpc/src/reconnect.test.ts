import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { startTarget } from "../test/json-target.ts";
import { type ConnectionState, connect } from "./index.ts";

const quick = { minDelayMs: 5, maxDelayMs: 20 };

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "spdk-rpc-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("a call that never left", () => {
  it("waits for a target that is about to start", () =>
    inFolder(async (folder) => {
      const path = join(folder, "spdk.sock");
      const states: ConnectionState[] = [];
      await using client = connect(`unix://${path}`, {
        reconnect: { ...quick, attempts: 50 },
        onStateChange: (state) => states.push(state),
      });
      const call = client.call("bdev_get_bdevs");
      await sleep(50);
      await using target = await startTarget(({ reply }) => reply("here"), path);
      await expect(call).resolves.toBe("here");
      expect(target.connections).toBe(1);
      expect(states.slice(0, 3)).toMatchObject([
        { status: "connecting", attempt: 1 },
        { status: "waiting", attempt: 1, error: { message: expect.stringContaining("ENOENT") } },
        { status: "connecting", attempt: 2 },
      ]);
      expect(states.at(-1)).toEqual({ status: "connected" });
    }));

  it("fails after the last attempt, and says why", () =>
    inFolder(async (folder) => {
      await using client = connect(`unix://${join(folder, "none.sock")}`, { reconnect: { ...quick, attempts: 3 } });
      const attempts: number[] = [];
      await using counting = connect(`unix://${join(folder, "none.sock")}`, {
        reconnect: { ...quick, attempts: 3 },
        onStateChange: (state) => state.status === "connecting" && attempts.push(state.attempt),
      });
      await expect(counting.call("bdev_get_bdevs")).rejects.toMatchObject({
        name: "SpdkConnectionError",
        reason: "unreachable",
        maybeExecuted: false,
        cause: { code: "ENOENT" },
      });
      expect(attempts).toEqual([1, 2, 3]);
      expect(counting.state).toEqual({ status: "idle" });
      await expect(client.call("a", undefined, { timeoutMs: 1 })).rejects.toMatchObject({
        name: "SpdkTimeoutError",
        maybeExecuted: false,
      });
    }));

  it("fails at once where one attempt is allowed", () =>
    inFolder(async (folder) => {
      await using client = connect(`unix://${join(folder, "none.sock")}`, { reconnect: { attempts: 1 } });
      const start = performance.now();
      await expect(client.call("a")).rejects.toMatchObject({ reason: "unreachable" });
      expect(performance.now() - start).toBeLessThan(90);
    }));

  it("is sent over the next connection when the target stopped reading and went", async () => {
    // What the kernel has taken may have run; what it had no room for goes out again.
    const sockets: Socket[] = [];
    let isReading = false;
    const seen: string[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      if (!isReading) {
        socket.pause();
        return;
      }
      socket.on("data", (chunk) => {
        for (const [, id = "", method = ""] of chunk.toString().matchAll(/"id":(\d+),"method":"(\w+)"/g)) {
          seen.push(method);
          socket.write(`{"id":${id},"result":true}`);
        }
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await using client = connect(`tcp://127.0.0.1:${port}`, { reconnect: quick });
    const big = { name: "x".repeat(30_000) };
    const calls = Array.from({ length: 600 }, () => client.call("bdev_get_bdevs", big));
    const settled = Promise.allSettled(calls);
    const last = client.call("bdev_lvol_get_lvstores");
    await expect.poll(() => sockets.length).toBe(1);
    await sleep(100);
    isReading = true;
    sockets[0]?.destroy();
    await expect(last).resolves.toBe(true);
    const lost = (await settled).filter((result) => result.status === "rejected");
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThan(600);
    for (const { reason } of lost) expect(reason).toMatchObject({ reason: "lost", maybeExecuted: true });
    expect(seen).toHaveLength(600 - lost.length + 1);
    await client.close();
    server.close();
    for (const socket of sockets) socket.destroy();
  });
});

describe("512 calls through 100 forced disconnects", () => {
  it("each end once, as answered or as maybe executed, and nothing is left", async () => {
    let disconnects = 0;
    let served = 0;
    await using target = await startTarget(({ params, reply, socket }) => {
      served += 1;
      if (served % 40 === 0 && disconnects < 100) {
        disconnects += 1;
        socket.destroy();
        return;
      }
      // Some answers are still to come when the connection goes.
      if (served % 3 === 0) setTimeout(() => reply(params), 1);
      else reply(params);
    });
    const before = process.getActiveResourcesInfo().length;
    const client = connect(target.uri, { reconnect: quick });
    let settled = 0;
    const counts = { answered: 0, lost: 0 };
    const worker = async (number: number): Promise<void> => {
      for (let round = 0; round < 12; round += 1) {
        const name = `worker ${number} round ${round}`;
        try {
          const result: unknown = await client.call("bdev_get_bdevs", { name });
          expect(result).toEqual({ name });
          counts.answered += 1;
        } catch (error) {
          expect(error).toMatchObject({ name: "SpdkConnectionError", reason: "lost", maybeExecuted: true });
          counts.lost += 1;
        }
        settled += 1;
      }
    };
    await Promise.all(Array.from({ length: 512 }, (_, number) => worker(number)));
    expect(disconnects).toBe(100);
    expect(settled).toBe(512 * 12);
    expect(counts.answered + counts.lost).toBe(512 * 12);
    expect(counts.lost).toBeGreaterThanOrEqual(100);
    await client.settled();
    await client.close();
    await expect.poll(() => process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before);
  });
});
