// A reply of 10,000 bdevs: through the client, through its parser in chunks of one byte, and its memory.
// Usage: node --conditions=@org/source tools/benchmarks/src/parsing.ts
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { connect } from "@org/spdk-rpc";

import { JsonSplitter } from "../../../libs/spdk-rpc/src/json/json-splitter.ts";
import { parseJson } from "../../../libs/spdk-rpc/src/json/parse-json.ts";
import { bdevListReply } from "./bdev-list-reply.ts";
import { median, report } from "./statistics.ts";

const ROUNDS = 11;

const reply = bdevListReply(10_000);
const megabytes = reply.length / 1e6;
report("reply, MB", megabytes.toFixed(1));

const parsed = time(() => takeInChunks(reply, 64 * 1024));
const plain = time(() => JSON.parse(reply.toString()));
report("parser, chunks of 64 KiB, MB/s", rate(parsed), "at least 100", megabytes / parsed >= 0.1);
report("JSON.parse of the whole, MB/s", rate(plain));
report("a call over a socket, MB/s", rate(await timeCalls()));

const tenth = bdevListReply(1_000);
const growth =
  time(() => takeInChunks(reply, 1), 5) / time(() => takeInChunks(tenth, 1), 5) / (reply.length / tenth.length);
report("chunks of 1 byte: time per byte, 10 MB / 1 MB", growth.toFixed(2), "at most 1.5", growth <= 1.5);

const child = spawnSync(
  process.execPath,
  ["--expose-gc", fileURLToPath(new URL("parsing-memory.ts", import.meta.url))],
  {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  },
);
const [inChunks = Number.NaN, inBytes = Number.NaN] = child.stdout.split(" ").map(Number);
report("peak memory / reply, chunks of 64 KiB", inChunks.toFixed(1), "at most 8", inChunks <= 8);
report("peak memory / reply, chunks of 1 byte", inBytes.toFixed(1), "at most 8", inBytes <= 8);

function takeInChunks(bytes: Buffer, size: number): void {
  const splitter = new JsonSplitter();
  let found = 0;
  for (let at = 0; at < bytes.length; at += size) {
    for (const text of splitter.push(bytes.subarray(at, at + size))) {
      parseJson(text);
      found += 1;
    }
  }
  if (found !== 1) throw new Error(`${found} replies instead of one`);
}

function time(work: () => void, rounds = ROUNDS): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    work();
    if (round > 1) times.push(performance.now() - start);
  }
  return median(times);
}

function rate(ms: number): string {
  return ((megabytes * 1000) / ms).toFixed(0);
}

async function timeCalls(): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "benchmark-"));
  const path = join(dir, "spdk.sock");
  const server = spawn(process.execPath, [fileURLToPath(new URL("bdev-list-server.ts", import.meta.url)), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(createInterface({ input: server.stdout }), "line");
  const times: number[] = [];
  {
    await using spdk = connect(`unix://${path}`);
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = performance.now();
      await spdk.call("bdev_get_bdevs");
      if (round > 1) times.push(performance.now() - start);
    }
  }
  server.kill();
  rmSync(dir, { recursive: true });
  return median(times);
}
