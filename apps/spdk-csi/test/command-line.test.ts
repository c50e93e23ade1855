import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CsiClient } from "@org/csi-framework";
import { afterEach, beforeEach, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");

let dir: string;
let endpoint: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "spdk-csi-cli-"));
  endpoint = `unix://${dir}/csi.sock`;
});
afterEach(() => rm(dir, { recursive: true, force: true }));

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Run {
  const child = spawn(process.execPath, ["--conditions=@org/source", MAIN, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return { child, ended: once(child, "close").then(([code]) => ({ code, stderr })) };
}

/** Waits until somebody answers: the socket is there a moment before anyone listens on it. */
async function served(): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await answers(join(dir, "csi.sock")))) {
    if (Date.now() > deadline) throw new Error("nobody serves after 15 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

it.each(["SIGTERM", "SIGINT"] as const)(
  "the node answers without a config or NVMe modules, and goes on %s with its socket",
  async (signal) => {
    const { child, ended } = run(["--node", "--endpoint", endpoint, "--nodeid", "worker-1", "--cluster", "east"]);
    await served();
    {
      using csi = new CsiClient(endpoint);
      expect(await csi.node.nodeGetInfo({})).toMatchObject({ nodeId: "nqn.2020-04.io.spdk.csi:node:east:worker-1" });
      expect(await csi.identity.getPluginInfo({})).toMatchObject({ name: "csi.spdk.io" });
    }
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 0 });
    expect(existsSync(join(dir, "csi.sock"))).toBe(false);
  },
);

it("a driver that was killed leaves a socket that the next one replaces", async () => {
  const args = ["--node", "--endpoint", endpoint, "--nodeid", "worker-1"];
  const first = run(args);
  await served();
  first.child.kill("SIGKILL");
  await first.ended;
  const second = run(args);
  using csi = new CsiClient(endpoint);
  const answer = async (): Promise<unknown> => csi.identity.probe({}).catch(() => undefined);
  while ((await answer()) === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
  second.child.kill("SIGTERM");
  expect(await second.ended).toMatchObject({ code: 0 });
});

it.each([
  ["is missing", undefined, "does not exist: name the file in SPDKCSI_CONFIG"],
  ["is broken", "{", "not valid JSON or YAML"],
  ["is wrong", '{"nodes":[{"name":"a"}]}', "nodes[0].targetType must be a text that is not empty"],
])("a config that %s ends the controller with a sentence", async (_how, text, message) => {
  const config = join(dir, "config.json");
  if (text !== undefined) writeFileSync(config, text);
  const { ended } = run(["--controller", "--endpoint", endpoint], { SPDKCSI_CONFIG: config });
  const { code, stderr } = await ended;
  expect(code).toBe(1);
  expect(stderr).toContain(`spdk-csi: ${config}`);
  expect(stderr).toContain(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

it("a wrong command line is explained", async () => {
  expect(await run(["--bogus"]).ended).toMatchObject({ code: 2, stderr: expect.stringContaining("--bogus") });
});
