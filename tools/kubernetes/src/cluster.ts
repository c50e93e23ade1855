import { type ChildProcess, execFileSync, fork, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, openSync, readFileSync } from "node:fs";
import { mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { prepareVirtualMachines } from "@org/tool-vm";

import { buildBinaries } from "./binaries.ts";
import { writeConfiguration } from "./configuration.ts";
import { exclusively } from "./exclusively.ts";
import { driverName, Images } from "./images.ts";
import { removeLeftovers } from "./leftovers.ts";
import { type NodeKind, nodesOf } from "./nodes.ts";
import { BINARIES, FAILED_LOGS, NODE_DISK, NODE_KIND, STATE, TOOL } from "./places.ts";
import type { Report } from "./report.ts";
import { nodeKind, runOnNodes } from "./running-cluster.ts";
import { installSnapshots } from "./snapshots.ts";

const KEEPER = join(STATE, "keeper");
const STOP_MS = 60_000;
/** Of a node that is a virtual machine; only what is written takes room. */
const DISK_BYTES = 32 * 1024 ** 3;

/** How a cluster is started. */
export interface ClusterOptions {
  /** Default: namespaces. */
  readonly node?: NodeKind;
  /** Whether it has the CRDs of snapshots and their controller, as clusters that are sold have. Default true. */
  readonly snapshots?: boolean;
}

/** The process that keeps the cluster; undefined where none runs. */
export function keeperOf(): number | undefined {
  if (!existsSync(KEEPER)) return undefined;
  const pid = Number(readFileSync(KEEPER, "utf8"));
  return isKeeper(pid) ? pid : undefined;
}

/** Whether a process keeps a cluster: numbers of processes are used again. */
function isKeeper(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("keeper.ts");
  } catch {
    return false;
  }
}

/** Starts a cluster and waits until its nodes are ready; what is missing is built first. */
export async function startCluster(report: Report, options: ClusterOptions = {}): Promise<void> {
  await exclusively("starting a cluster", () => start(report, options));
}

async function start(report: Report, { node = "namespaces", snapshots = true }: ClusterOptions): Promise<void> {
  if (keeperOf() !== undefined) throw new Error("a cluster runs already: npm run cluster -- stop ends it");
  prepare();
  // What one left that was ended by force.
  await removeLeftovers();
  const binaries = await buildBinaries(report);
  await mkdir(join(STATE, "log"), { recursive: true });
  await symlink(binaries, BINARIES);
  await writeFile(NODE_KIND, node);
  await writeConfiguration(nodesOf(node));
  report("making the images");
  const images = new Images(join(STATE, "images"));
  await Promise.all([images.makeShared(binaries), images.makeDriver(node)]);
  if (node === "virtual-machine") await prepareVirtualNode();
  report("starting the cluster");
  await startKeeper(node, report);
  if (snapshots) await installSnapshots();
}

async function prepareVirtualNode(): Promise<void> {
  prepareVirtualMachines();
  await writeFile(NODE_DISK, "");
  await truncate(NODE_DISK, DISK_BYTES);
  execFileSync("mkfs.ext4", ["-q", NODE_DISK]);
}

async function startKeeper(node: NodeKind, report: Report): Promise<void> {
  const log = openSync(join(STATE, "log/keeper.log"), "a");
  const keeper = fork(join(import.meta.dirname, "keeper.ts"), [node], {
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
  });
  await writeFile(KEEPER, String(keeper.pid));
  const ended = once(keeper, "exit").then(() => false);
  const isReady = await Promise.race([ready(keeper, report), ended]);
  if (!isReady)
    throw new Error(`the cluster did not start: its logs are in ${FAILED_LOGS}, keeper.log tells which to read`);
  keeper.disconnect();
  keeper.unref();
}

function ready(keeper: ChildProcess, report: Report): Promise<true> {
  return new Promise((resolve) => {
    keeper.on("message", (message: { readonly step?: string; readonly isReady?: boolean }) => {
      if (message.step !== undefined) report(message.step);
      if (message.isReady === true) resolve(true);
    });
  });
}

/** Ends the cluster, and removes all that is left of it. */
export async function stopCluster(): Promise<void> {
  const keeper = keeperOf();
  if (keeper !== undefined) {
    process.kill(keeper, "SIGTERM");
    for (const deadline = Date.now() + STOP_MS; isKeeper(keeper); await setTimeout(50)) {
      if (Date.now() > deadline) throw new Error(`the cluster's keeper, process ${keeper}, does not end`);
    }
  }
  await removeLeftovers();
}

/** Makes the driver's image from the sources as they are now, and brings it into the running cluster; gives its name. */
export async function loadDriver(tag?: string): Promise<string> {
  await load(async (images) => [await images.makeDriver(nodeKind(), tag)]);
  return driverName(nodeKind(), tag);
}

/** Brings Kubernetes' own images for pods of tests into the running cluster. */
export async function loadTestImages(agnhost: string, listed: readonly string[]): Promise<void> {
  await load((images) => images.makeTests(agnhost, listed));
}

async function load(make: (images: Images) => Promise<string[]>): Promise<void> {
  // Each time another: a virtual machine would know the folder as it was before.
  const dir = join(STATE, `load-${randomUUID()}`);
  for (const archive of await make(new Images(dir)))
    await runOnNodes(["ctr", "-n", "k8s.io", "images", "import", archive]);
  await rm(dir, { recursive: true });
}

function prepare(): void {
  if (process.getuid?.() !== 0) throw new Error("a cluster needs root: it makes namespaces and mounts");
  const { status } = spawnSync(join(TOOL, "scripts/prepare.sh"), { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0)
    throw new Error("the cluster cannot be prepared: it needs Debian 12 or what scripts/prepare.sh names");
}
