// What the framework costs beside grpc-js alone: throughput at 64 in flight, and the time of one call.
// Usage: node --conditions=@org/source tools/benchmarks/src/framework.ts
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { CsiClient } from "@org/csi-framework";

import { median, report } from "./statistics.ts";

const ROUNDS = 9;
const IN_FLIGHT = 64;
const CALLS = 6_000;
const SEQUENTIAL = 1_500;

const dir = mkdtempSync(join(tmpdir(), "benchmark-"));
const servers = await Promise.all(["framework", "bare"].map(startServer));
try {
  const [framework, bare] = servers.map(({ client }) => client);
  if (framework === undefined || bare === undefined) throw new Error("two servers are needed");
  const throughput: number[] = [];
  const latency: number[] = [];
  // The order alternates, so that what else the machine does hits both alike; the first rounds warm up.
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = round % 2 === 0 ? [framework, bare] : [bare, framework];
    const rates = new Map<CsiClient, number>();
    const times = new Map<CsiClient, number>();
    for (const client of order) rates.set(client, await rate(client));
    for (const client of order) times.set(client, await timeOfOne(client));
    if (round < 2) continue;
    throughput.push((rates.get(framework) ?? 0) / (rates.get(bare) ?? 1));
    latency.push((times.get(framework) ?? 0) - (times.get(bare) ?? 0));
  }
  const ratio = median(throughput);
  report("throughput at 64 in flight, framework / bare", ratio.toFixed(2), "at least 0.75", ratio >= 0.75);
  const added = median(latency);
  report("p50 of one call, added, ms", added.toFixed(3), "at most 0.15", added <= 0.15);
} finally {
  for (const { child, client } of servers) {
    client.close();
    child.kill();
  }
  rmSync(dir, { recursive: true, force: true });
}

async function startServer(kind: string) {
  const path = join(dir, `${kind}.sock`);
  const script = fileURLToPath(new URL("csi-server.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@org/source", script, kind, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(createInterface({ input: child.stdout }), "line");
  return { child, client: new CsiClient(`unix://${path}`) };
}

async function rate(client: CsiClient): Promise<number> {
  let left = CALLS;
  const worker = async (number: number): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await client.controller.deleteVolume({ volumeId: `volume-${number}`, secrets: { user: "name" } });
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, number) => worker(number)));
  return (CALLS * 1000) / (performance.now() - start);
}

async function timeOfOne(client: CsiClient): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < SEQUENTIAL; call += 1) {
    const start = performance.now();
    await client.controller.deleteVolume({ volumeId: "volume", secrets: { user: "name" } });
    times.push(performance.now() - start);
  }
  return median(times);
}
