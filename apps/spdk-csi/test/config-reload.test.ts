import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { CsiClient, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { Emulator } from "@org/spdk-emulator";
import { connect } from "@org/spdk-rpc";
import { afterEach, beforeEach, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");

let dir: string;
let csi: CsiClient;
let log: Record<string, unknown>[];
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "spdk-csi-reload-"));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  log = [];
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A target with an lvstore. */
async function startTarget(listen: string): Promise<string> {
  const emulator = await Emulator.start({ listen: [listen] });
  cleanups.push(() => emulator.close());
  const [uri = ""] = emulator.uris;
  const spdk = connect(listen.startsWith("http") ? withCredentials(uri, listen) : uri);
  await spdk.call("bdev_malloc_create", { name: "Malloc0", num_blocks: 2 ** 20, block_size: 512 });
  await spdk.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });
  await spdk.close();
  return uri;
}

function withCredentials(uri: string, listen: string): string {
  const { username, password } = new URL(listen);
  return Object.assign(new URL(uri), { username, password }).href;
}

/** Replaces a file as editors do. */
function write(name: string, content: unknown): void {
  writeFileSync(join(dir, `${name}.new`), typeof content === "string" ? content : JSON.stringify(content));
  renameSync(join(dir, `${name}.new`), join(dir, name));
}

function configure(targets: Readonly<Record<string, string>>): void {
  write("config.json", {
    nodes: Object.entries(targets).map(([name, rpcURL]) => ({
      name,
      rpcURL,
      targetType: "nvme-tcp",
      targetAddr: "127.0.0.1",
    })),
  });
}

async function startController(): Promise<void> {
  const endpoint = `unix://${dir}/csi.sock`;
  const args = ["--conditions=@org/source", MAIN, "controller", "--endpoint", endpoint];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, SPDKCSI_CONFIG: join(dir, "config.json"), SPDKCSI_SECRET: join(dir, "secret.json") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  cleanups.push(() => end(child));
  if (child.stderr === null) throw new Error("no stderr");
  createInterface(child.stderr).on("line", (line) => void log.push(JSON.parse(line)));
  await until(() => log.some(({ message }) => message === "serving"));
  csi = new CsiClient(endpoint);
  cleanups.push(async () => csi.close());
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "close");
}

function create(name: string, target: string): Promise<unknown> {
  return csi.controller.createVolume({
    name,
    capacityRange: { requiredBytes: 64n * 1024n ** 2n },
    volumeCapabilities: [{ accessType: { $case: "block", value: {} }, accessMode: { mode: Mode.SINGLE_NODE_WRITER } }],
    parameters: { target },
  });
}

async function until(isDone: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !isDone(); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`nothing after 15 s; the log: ${JSON.stringify(log)}`);
  }
}

it("pain 27: a target that is added to the configuration takes volumes without a restart, and a wrong one changes nothing", async () => {
  const one = await startTarget(`unix://${dir}/one.sock`);
  const two = await startTarget(`unix://${dir}/two.sock`);
  write("secret.json", { rpcTokens: [] });
  configure({ one });
  await startController();
  await expect(create("pvc-1", "two")).rejects.toThrow("two");

  configure({ one, two });
  await until(() => log.some(({ message }) => message === "the configuration has changed"));
  expect(await create("pvc-1", "two")).toMatchObject({ volume: { volumeId: expect.stringMatching(/^two:/) } });

  write("config.json", { nodes: [{ name: "one" }] });
  await until(() => log.some(({ level }) => level === "error"));
  expect(await create("pvc-2", "two")).toMatchObject({ volume: { volumeId: expect.stringMatching(/^two:/) } });
  expect(await create("pvc-3", "one")).toMatchObject({ volume: { volumeId: expect.stringMatching(/^one:/) } });
});

it("a target's password that has been changed is used without a restart", async () => {
  const token = { name: "one", username: "root" };
  const one = await startTarget("http://root:gluesys@127.0.0.1:0");
  configure({ one });
  write("secret.json", { rpcTokens: [{ ...token, password: "outdated" }] });
  await startController();
  await expect(create("pvc-1", "one")).rejects.toThrow();

  write("secret.json", { rpcTokens: [{ ...token, password: "gluesys" }] });
  await until(() => log.some(({ message }) => message === "the configuration has changed"));
  expect(await create("pvc-1", "one")).toMatchObject({ volume: { volumeId: expect.stringMatching(/^one:/) } });
  expect(JSON.stringify(log)).not.toMatch(/gluesys|outdated/);
});
