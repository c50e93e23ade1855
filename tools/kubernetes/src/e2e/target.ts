import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { ROOT, STATE, TARGET_URI } from "../places.ts";
import { runInside } from "../running-cluster.ts";
import { expectSame } from "./check.ts";

const SPDK_RPC = join(ROOT, "libs/spdk-rpc/src/cli/cli.ts");
const LOG = join(STATE, "log/emulated-target.log");
const KILLED = "killed by a check";

/** Calls a method of the emulated target, from inside the cluster's network; its result. */
async function askTarget(method: string): Promise<unknown> {
  const program = [process.execPath, "--conditions=@org/source", SPDK_RPC];
  return JSON.parse(await runInside([...program, "call", method, "-s", TARGET_URI]));
}

/** The subsystems by which it shows volumes. */
export async function exportsOfTarget(): Promise<string[]> {
  const subsystems = (await askTarget("nvmf_get_subsystems")) as { nqn: string; subtype: string }[];
  return subsystems.filter(({ subtype }) => subtype === "NVMe").map(({ nqn }) => nqn);
}

/** Ends it without a word; a moment later it is started again, with nothing but its disks. */
export async function killTarget(): Promise<void> {
  // It takes along what it knows of itself.
  await assertTargetWell();
  appendFileSync(LOG, `${KILLED}\n`);
  await runInside(["kill", "-KILL", readFileSync(join(STATE, "target.pid"), "utf8")]);
}

/** Throws when it was asked for something that a real target does not survive, or has ended by itself. */
export async function assertTargetWell(): Promise<void> {
  expectSame("asked for what no target survives", await askTarget("emulator_get_hazards"), {});
  const lines = readFileSync(LOG, "utf8").split("\n");
  const starts = lines.filter((line) => line.startsWith("listening on")).length;
  expectSame("starts of the target", starts, 1 + lines.filter((line) => line === KILLED).length);
}
