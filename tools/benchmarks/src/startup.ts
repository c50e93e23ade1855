// The driver as it is shipped, one bundle: from exec to the first Probe, and what it takes when idle. Needs a build.
// Usage: node --conditions=@org/source tools/benchmarks/src/startup.ts
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { CsiClient } from "@org/csi-framework";

import { median, report } from "./statistics.ts";

const BUNDLE = fileURLToPath(new URL("../../../apps/spdk-csi/dist/main.js", import.meta.url));
const STARTS = 9;
const CONFIG = `{ "nodes": [ { "name": "t", "rpcURL": "unix:///nowhere.sock", "targetType": "nvme-tcp", "targetAddr": "127.0.0.1" } ] }`;

const dir = mkdtempSync(join(tmpdir(), "benchmark-"));
writeFileSync(join(dir, "config.json"), CONFIG);
const millis: number[] = [];
const mebibytes: number[] = [];
try {
  // The first start fills Node's compile cache, as an image's does when it is built.
  for (let start = 0; start <= STARTS; start += 1) {
    const { ms, mib } = await startOnce(join(dir, `csi-${start}.sock`));
    if (start === 0) continue;
    millis.push(ms);
    mebibytes.push(mib);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
report("exec to the first answered Probe, median ms", median(millis).toFixed(0), "at most 200", median(millis) <= 200);
report("resident when idle (VmRSS), median MiB", median(mebibytes).toFixed(0), "at most 75", median(mebibytes) <= 75);

async function startOnce(socket: string): Promise<{ readonly ms: number; readonly mib: number }> {
  const env = { ...process.env, SPDKCSI_CONFIG: join(dir, "config.json"), NODE_COMPILE_CACHE: join(dir, "cache") };
  const startedAt = performance.now();
  const child = spawn(process.execPath, [BUNDLE, "--controller", "--endpoint", `unix://${socket}`], {
    env,
    stdio: "ignore",
  });
  // Not by connecting: gRPC waits a second before it tries again.
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`the driver ended with ${child.exitCode}: is it built?`);
    await sleep(1);
  }
  const csi = new CsiClient(`unix://${socket}`);
  await csi.identity.probe({});
  const ms = performance.now() - startedAt;
  await sleep(1_500);
  const [, kibibytes = ""] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
  csi.close();
  child.kill();
  await once(child, "exit");
  return { ms, mib: Number(kibibytes) / 1024 };
}
