import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CsiClient, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { afterEach, beforeEach, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const IS_ROOT = process.getuid?.() === 0;

let dir: string;
let endpoint: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "spdk-csi-demo-test-"));
  mkdirSync(join(dir, "tmp"));
  endpoint = `unix://${dir}/csi.sock`;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Run {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<unknown>;
}

function run(args: readonly string[], { node = [], user }: { node?: readonly string[]; user?: number } = {}): Run {
  const child = spawn(process.execPath, ["--conditions=@org/source", ...node, MAIN, ...args], {
    env: { ...process.env, TMPDIR: join(dir, "tmp") },
    stdio: ["ignore", "pipe", "pipe"],
    ...(user !== undefined && { uid: user, gid: user }),
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { child, said: () => text, ended: once(child, "close").then(([code]) => code as unknown) };
}

/** Waits until it has said what to type next. */
async function introduced({ said, child }: Run): Promise<string> {
  const deadline = Date.now() + 15_000;
  while (!said().includes("Next, in another terminal")) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`it said: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return said();
}

/** What it put into files that outlast a process. */
const left = (): string[] => [...readdirSync(join(dir, "tmp")), ...readdirSync(dir).filter((name) => name !== "tmp")];

it.each(["SIGINT", "SIGTERM"] as const)(
  "what it prints can be typed, and %s leaves nothing",
  { timeout: 30_000 },
  async (signal) => {
    const demo = run(["demo", "--endpoint", endpoint]);
    const text = await introduced(demo);
    const [, config = ""] = /export SPDKCSI_CONFIG=(\S+)/.exec(text) ?? [];
    const [, volumeId = ""] = /A volume is there already: (\S+)/.exec(text) ?? [];
    const options = { env: { ...process.env, SPDKCSI_CONFIG: config }, encoding: "utf8" } as const;
    const type = (...args: string[]): string =>
      execFileSync(process.execPath, ["--conditions=@org/source", MAIN, ...args], options);
    expect(type("volumes")).toContain(volumeId);
    expect(type("doctor", "--controller")).toContain("target demo");
    {
      using csi = new CsiClient(endpoint);
      expect((await csi.controller.listVolumes({})).entries).toMatchObject([{ volume: { volumeId } }]);
    }
    demo.child.kill(signal);
    expect(await demo.ended).toBe(0);
    expect(left()).toEqual([]);
    expect(demo.said()).toContain("ended; nothing is left");
  },
);

it.runIf(IS_ROOT)(
  "as root plays nodes on sockets of their own, and unmounts at its end what nobody did",
  { timeout: 30_000 },
  async () => {
    const demo = run(["demo", "--endpoint", endpoint, "--nodes", "2"]);
    const [, volumeId = ""] = /already: (\S+)/.exec(await introduced(demo)) ?? [];
    const staging = join(dir, "staging");
    mkdirSync(staging);
    const volumeCapability = {
      accessType: { $case: "mount" as const, value: { fsType: "ext4" } },
      accessMode: { mode: Mode.SINGLE_NODE_WRITER },
    };
    {
      using controller = new CsiClient(endpoint);
      using second = new CsiClient(`unix://${dir}/csi-2.sock`);
      const { nodeId } = await second.node.nodeGetInfo({});
      expect(nodeId).toMatch(/:demo-2$/);
      expect(nodeId).not.toBe((await controller.node.nodeGetInfo({})).nodeId);
      const published = await controller.controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability });
      const { publishContext } = published;
      await second.node.nodeStageVolume({ volumeId, publishContext, stagingTargetPath: staging, volumeCapability });
    }
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toContain(staging);
    demo.child.kill("SIGTERM");
    expect(await demo.ended).toBe(0);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(staging);
    expect(execFileSync("losetup", ["--list"], { encoding: "utf8" })).not.toContain(dir);
    rmSync(staging, { recursive: true });
    expect(left()).toEqual([]);
  },
);

it("serves the controller alone without root, and says so", { timeout: 30_000 }, async () => {
  if (IS_ROOT) for (const each of [dir, join(dir, "tmp")]) execFileSync("chown", ["65534:65534", each]);
  const demo = run(["demo", "--endpoint", endpoint], IS_ROOT ? { user: 65_534 } : {});
  expect(await introduced(demo)).toContain("no node: it mounts, which takes root");
  {
    using csi = new CsiClient(endpoint);
    await expect(csi.node.nodeGetInfo({})).rejects.toThrow();
  }
  demo.child.kill("SIGINT");
  expect(await demo.ended).toBe(0);
  expect(left()).toEqual([]);
});

it("tells how to get the emulator where it is not installed", async () => {
  // As Node.js does that finds no such package.
  const hooks = `import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier !== "@org/spdk-emulator") return next(specifier, context);
        throw Object.assign(new Error("not found"), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });`;
  const demo = run(["demo", "--endpoint", endpoint], {
    node: ["--import", `data:text/javascript,${encodeURIComponent(hooks)}`],
  });
  expect(await demo.ended).toBe(1);
  expect(demo.said()).toContain("npm install @org/spdk-emulator");
  expect(left()).toEqual([]);
});

it("gives several nodes no TCP endpoint", async () => {
  const demo = run(["demo", "--endpoint", "tcp://127.0.0.1:0", "--nodes", "2"]);
  expect(await demo.ended).toBe(2);
  expect(demo.said()).toContain("each node gets a socket of its own");
});
