import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { STATE, TARGET_FILES } from "../places.ts";
import { nodeKind, runOnNode } from "../running-cluster.ts";
import { expectNone } from "./check.ts";
import { Kubectl } from "./kubectl.ts";
import { exportsOfTarget } from "./target.ts";

const LEFTOVERS_MS = 60_000;
const PAUSE_MS = 500;

/** The driver's namespace. */
export const driver: Kubectl = new Kubectl("spdk-csi");

const DRIVER = "csi.spdk.io";

/** The controller's pod. */
export const CONTROLLER = "spdk-csi-controller-0";

/** The one pod of the node's plugin. */
export async function nodePod(): Promise<string> {
  const pods = await driver.list("pods", "--selector", "app.kubernetes.io/name=spdk-csi-node");
  const [first] = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (first === undefined) throw new Error("the node's plugin has no pod");
  return first.metadata.name;
}

/** Waits until every part of the driver is rolled out. */
export async function driverReady(): Promise<void> {
  for (const part of ["statefulset/spdk-csi-controller", "daemonset/spdk-csi-node"]) {
    await driver.run(["rollout", "status", part, "--timeout=120s"]);
  }
}

/** How often the containers of each of the driver's pods have been started again. */
export async function restarts(): Promise<number> {
  const pods = await driver.list("pods");
  return pods
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
}

/** Throws when there are still others than those `before`, some time after they have been deleted. */
export async function nothingIsLeft(before: readonly string[] = []): Promise<void> {
  const added = async (): Promise<string[]> => (await volumeParts()).filter((part) => !before.includes(part));
  const deadline = Date.now() + LEFTOVERS_MS;
  let left = await added();
  for (; left.length > 0 && Date.now() < deadline; left = await added()) await setTimeout(PAUSE_MS);
  expectNone(left);
}

/** All that there is of volumes: files and exports of the target, sessions, PersistentVolumes, VolumeAttachments. */
export async function volumeParts(): Promise<string[]> {
  const data = join(STATE, "spdk-emulator");
  const files = existsSync(data) ? readdirSync(data).filter((name) => name.startsWith("lvol-")) : [];
  const volumes = await driver.list("persistentvolumes");
  const attachments = await driver.list("volumeattachments");
  return [
    ...files,
    ...volumes.filter(({ spec }) => spec.csi?.driver === DRIVER).map(({ metadata }) => metadata.name),
    ...attachments.map(({ metadata }) => metadata.name),
    ...(await exportsOfTarget()),
    ...(await sessions()),
  ];
}

/** By what the node has volumes: controllers of NVMe/TCP, or loop devices on the target's files. */
async function sessions(): Promise<string[]> {
  if (nodeKind() === "virtual-machine") {
    // All of them: it has no NVMe disk of its own.
    return linesOf(await runOnNode(["sh", "-c", "ls /sys/class/nvme 2>/dev/null || true"]));
  }
  const files = linesOf(await runOnNode(["losetup", "--list", "--noheadings", "--raw", "--output", "BACK-FILE"]));
  return files.filter((file) => file.startsWith(TARGET_FILES)).map((file) => `loop device on ${file}`);
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
