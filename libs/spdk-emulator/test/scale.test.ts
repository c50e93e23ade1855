import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { until, Wire } from "./contract/wire.ts";

const CLI = join(import.meta.dirname, "../src/cli.ts");
const LVOLS = 10_000;

let dir: string;
let child: ChildProcess;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "scale-"));
});
afterEach(async () => {
  const exited = once(child, "exit");
  child.kill();
  await exited;
  rmSync(dir, { recursive: true, force: true });
});

async function start(...args: readonly string[]): Promise<Wire> {
  child = spawn(process.execPath, [CLI, "--listen", `unix://${dir}/spdk.sock`, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("no output");
  await once(createInterface({ input: child.stdout }), "line");
  return new Wire(join(dir, "spdk.sock"));
}

const request = (id: number, method: string, params?: object): string => JSON.stringify({ id, method, params });

describe("10,000 lvols", () => {
  it("take less than 400 MiB, and each is found in one step", { timeout: 120_000 }, async () => {
    const wire = await start();
    await wire.call(request(1, "bdev_malloc_create", { name: "m", num_blocks: 2 ** 30 - 1, block_size: 512 }));
    await wire.call(request(1, "bdev_lvol_create_lvstore", { bdev_name: "m", lvs_name: "lvs" }));
    for (let first = 0; first < LVOLS; first += 1000) {
      wire.received = "";
      const creates = Array.from({ length: 1000 }, (_, at) => {
        const lvol = { lvs_name: "lvs", lvol_name: `pvc-${first + at}`, size_in_mib: 4, thin_provision: true };
        return request(at, "bdev_lvol_create", lvol);
      });
      wire.socket.write(creates.join(""));
      await until(() => wire.received.split("\n").length > 1000, 60_000);
    }
    const began = performance.now();
    for (let at = 0; at < 1000; at += 1) await wire.call(request(1, "bdev_get_bdevs", { name: `lvs/pvc-${at * 10}` }));
    // A scan of 10,000 names takes far longer than a round trip.
    expect((performance.now() - began) / 1000).toBeLessThan(2);
    const { result } = await wire.call(request(1, "bdev_get_bdevs"));
    expect(result).toHaveLength(LVOLS + 1);
    const memory = /VmRSS:\s+(?<kib>\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.groups?.["kib"];
    process.stdout.write(`10,000 lvols: ${(Number(memory) / 1024).toFixed(0)} MiB\n`);
    expect(Number(memory) / 1024).toBeLessThan(400);
    wire.socket.destroy();
  });
});

describe("--poll-ms 4", () => {
  it("answers as late as a real target: 4 to 8 ms alone, 8 ms back to back", {
    timeout: 30_000,
    retry: 2,
  }, async () => {
    const wire = await start("--poll-ms", "4");
    const lone: number[] = [];
    const following: number[] = [];
    for (let at = 0; at < 100; at += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 10));
      lone.push(await timeOf(wire));
    }
    for (let at = 0; at < 100; at += 1) following.push(await timeOf(wire));
    process.stdout.write(`lone ${median(lone).toFixed(1)} ms, back to back ${median(following).toFixed(1)} ms\n`);
    // Recorded medians: 6.1 and 8.0 ms.
    expect(median(lone)).toBeGreaterThan(6.1 * 0.8);
    expect(median(lone)).toBeLessThan(6.1 * 1.2);
    expect(median(following)).toBeGreaterThan(8 * 0.8);
    expect(median(following)).toBeLessThan(8 * 1.2);
    wire.socket.destroy();
  });
});

async function timeOf(wire: Wire): Promise<number> {
  const began = performance.now();
  const answered = once(wire.socket, "data");
  wire.socket.write('{"id":1,"method":"spdk_get_version"}');
  await answered;
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
