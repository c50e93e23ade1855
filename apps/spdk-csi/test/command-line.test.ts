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
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Run {
  const child = spawn(process.execPath, ["--conditions=@org/source", MAIN, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return { child, ended: once(child, "close").then(([code]) => ({ code, stdout, stderr })) };
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
  ["is missing", undefined, ["does not exist: name the file in SPDKCSI_CONFIG"]],
  ["is broken", "{", ["not valid JSON or YAML"]],
  [
    "is wrong",
    '{"nodes":[{"name":"a","rpcURL":"unix:///s"}]}',
    ["nodes[0].targetType is missing: it must be one of", "nodes[0].targetAddr is missing"],
  ],
])("a config that %s ends the controller with a line for each thing", async (_how, text, messages) => {
  const config = join(dir, "config.json");
  if (text !== undefined) writeFileSync(config, text);
  const { code, stderr } = await run(["controller", "--endpoint", endpoint], { SPDKCSI_CONFIG: config }).ended;
  expect(code).toBe(1);
  const lines = stderr.trim().split("\n");
  expect(lines).toEqual(messages.map((message) => expect.stringContaining(message)));
  for (const line of lines) expect(line).toContain(`spdk-csi: ${config}`);
});

it("a secret that was named has to be there", async () => {
  const config = join(dir, "config.json");
  const secret = join(dir, "secret.json");
  writeFileSync(config, "nodes: [{ name: a, rpcURL: 'unix:///s', targetType: tcp, targetAddr: 10.0.0.1 }]");
  const environment = { SPDKCSI_CONFIG: config, SPDKCSI_SECRET: secret };
  expect(await run(["controller", "--endpoint", endpoint], environment).ended).toMatchObject({
    code: 1,
    stderr: `spdk-csi: ${secret} does not exist: name the file in SPDKCSI_SECRET\n`,
  });
});

it("upstream's command line serves, and one line tells which options have no effect", async () => {
  const args = [
    "--v=5",
    "-logtostderr",
    "-stderrthreshold",
    "2",
    `-endpoint=${endpoint}`,
    "--nodeid=worker-1",
    "-node",
  ];
  const { child, ended } = run(args);
  await served();
  child.kill("SIGTERM");
  const { code, stderr } = await ended;
  expect(code).toBe(0);
  const lines = stderr.trim().split("\n");
  const told = lines
    .map((line): unknown => JSON.parse(line))
    .filter((line) => JSON.stringify(line).includes("no effect"));
  expect(told).toEqual([expect.objectContaining({ options: ["logtostderr", "stderrthreshold"] })]);
});

it("help is printed for all, and for each command", async () => {
  expect(await run(["--help"]).ended).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("doctor") });
  const { stdout } = await run(["node", "--help"]).ended;
  expect(stdout).toContain("--topology");
  expect(stdout).not.toContain("--rpc-timeout");
});

it("a wrong command line is explained", async () => {
  expect(await run(["--bogus"]).ended).toEqual({
    code: 2,
    stdout: "",
    stderr: "spdk-csi: there is no option --bogus\nspdk-csi --help tells how it is used\n",
  });
});
