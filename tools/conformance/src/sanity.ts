import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type DriverCommand, NODE_BESIDE } from "./driver-command.ts";
import { type RunningDriver, startDriver } from "./driver-process.ts";
import { mountsBelow } from "./mounts-below.ts";
import { readReport, type SanityResult } from "./sanity-report.ts";

/** What of csi-sanity is run. */
export interface SanityOptions {
  /** The driver has no node service: its specs are left out, and a node that does nothing runs beside it. */
  readonly controllerOnly?: boolean;
  /** A regular expression (RE2) for the specs to leave out. Default none; without root those that mount. */
  readonly skip?: string | undefined;
}

const MODULE = join(import.meta.dirname, "..");
const COMMAND = "github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity";
const GIB = 1024 ** 3;
const NEEDS_ROOT = "Node Service|NodeGet|NodeStage";

/** Whether the machine has the Go toolchain that builds csi-sanity. */
export function goIsInstalled(): boolean {
  return spawnSync("go", ["version"], { stdio: "ignore" }).status === 0;
}

/** Builds csi-sanity at its pinned version and runs it against a driver, which must leave no mount behind. */
export async function runSanity(command: DriverCommand, options: SanityOptions = {}): Promise<SanityResult> {
  const dir = mkdtempSync(join(tmpdir(), "csi-sanity-"));
  try {
    const { failed, ...result } = await runIn(dir, command, options);
    const left = mountsBelow(dir).map((path) => ({
      title: "The driver leaves no mounts behind",
      reason: `${path} is still mounted`,
    }));
    return { ...result, failed: [...failed, ...left] };
  } finally {
    // Nothing is removed below a mount: it could be data.
    if (mountsBelow(dir).length === 0) rmSync(dir, { recursive: true, force: true });
  }
}

async function runIn(dir: string, command: DriverCommand, options: SanityOptions): Promise<SanityResult> {
  const binary = join(dir, "csi-sanity");
  build(binary);
  const drivers: RunningDriver[] = [];
  const start = async (each: DriverCommand, name: string): Promise<string> => {
    mkdirSync(join(dir, name));
    const driver = await startDriver(each, join(dir, name));
    drivers.push(driver);
    return driver.endpoint;
  };
  try {
    const endpoint = await start(command, "driver");
    const node = options.controllerOnly === true ? await start(NODE_BESIDE, "node") : undefined;
    return await run(binary, dir, { endpoint, node }, options);
  } finally {
    for (const driver of drivers) await driver.stop();
  }
}

function build(binary: string): void {
  const env = { ...process.env, GOFLAGS: "-modcacherw" };
  const { status } = spawnSync("go", ["build", "-o", binary, COMMAND], { cwd: MODULE, env, stdio: "inherit" });
  if (status !== 0) throw new Error("csi-sanity could not be built: see above");
}

interface Endpoints {
  readonly endpoint: string;
  /** Where the node is, when the driver is a controller only. */
  readonly node: string | undefined;
}

async function run(
  binary: string,
  dir: string,
  { endpoint, node }: Endpoints,
  { skip }: SanityOptions,
): Promise<SanityResult> {
  const report = join(dir, "report.json");
  const needsNode = node === undefined ? [] : ["Node Service"];
  const needsRoot = process.getuid?.() === 0 ? [] : [NEEDS_ROOT];
  const left = [...(skip === undefined ? [] : [skip]), ...needsNode, ...needsRoot];
  const args = [
    `-csi.endpoint=${node ?? endpoint}`,
    ...(node === undefined ? [] : [`-csi.controllerendpoint=${endpoint}`]),
    `-csi.mountdir=${join(dir, "mount")}`,
    `-csi.stagingdir=${join(dir, "staging")}`,
    `-csi.testvolumesize=${GIB}`,
    `-csi.testvolumeexpandsize=${2 * GIB}`,
    "-csi.testnodevolumeattachlimit",
    `-ginkgo.json-report=${report}`,
    "-ginkgo.no-color",
    ...left.map((each) => `-ginkgo.skip=${each}`),
  ];
  const sanity = spawn(binary, args, { stdio: process.env["SANITY_LOG"] ? "inherit" : "ignore" });
  const code = await new Promise<number | null>((resolve) => sanity.once("exit", resolve));
  if (!existsSync(report)) throw new Error(`csi-sanity ended with ${code} and left no report`);
  const result = readReport(readFileSync(report, "utf8"));
  if (code !== 0 && result.failed.length === 0)
    throw new Error(`csi-sanity ended with ${code}, but reports no failure`);
  return result;
}
