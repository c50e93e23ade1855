import { CsiError } from "@org/csi-framework";

import { until } from "../../guest/shell.ts";
import type { NodeMachine } from "../node-machine.ts";

/** The status with which a call ends. */
export async function statusOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (error) {
    if (error instanceof CsiError) return error.code;
    throw error;
  }
}

/** The text of the status with which a call ends. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "";
  } catch (error) {
    if (error instanceof CsiError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** What looks for errors in a filesystem, in its device or its file. */
export const CHECKS = { ext4: "e2fsck -fn", xfs: "xfs_repair -n" };

/** How long something took, as it is told. */
export function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}

/** Prints a figure below the checks. */
export function tell(text: string): void {
  process.stdout.write(`      ${text}\n`);
}

/** Waits until the kernel of a node has so many paths to a subsystem, all of them live. */
export async function untilLive(node: NodeMachine, nqn: string, paths: number, timeoutMs = 30_000): Promise<void> {
  const areLive = async (): Promise<boolean> => {
    const controllers = await node.controllers(nqn);
    return controllers.length === paths && controllers.every(({ state }) => state === "live");
  };
  await until(`${paths} live paths to ${nqn} on ${node.name}`, areLive, timeoutMs);
}

/**
 * Ends all sessions of a node that was cut off, as an operator does, or the kernel after half an hour: until then what
 * waits for the target cannot be killed, and nothing can be unmounted.
 */
export async function endSessions(node: NodeMachine): Promise<void> {
  const each = (await node.controllers()).map(({ name }) => `echo 1 > /sys/class/nvme/${name}/delete_controller`);
  await node.sh(each.join("; "));
}
