import { readFileSync } from "node:fs";
import { join } from "node:path";

import { STATE, TARGET_URI } from "../places.ts";
import { runInside } from "../running-cluster.ts";

/** A request and its answer, from inside the cluster's network. */
const ASK = `
const [uri, method, params] = process.argv.slice(1);
const { origin, username, password } = new URL(uri);
const authorization = "Basic " + Buffer.from(username + ":" + password).toString("base64");
const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, ...(params && { params: JSON.parse(params) }) });
const response = await fetch(origin, { method: "POST", headers: { authorization }, body });
process.stdout.write(await response.text());`;

/** Calls a method of the emulated target; its result. */
export async function askTarget(method: string, params?: object): Promise<unknown> {
  const args = ["--input-type=module", "-e", ASK, TARGET_URI, method];
  const answer = await runInside([process.execPath, ...args, ...(params ? [JSON.stringify(params)] : [])]);
  const { result, error }: { result?: unknown; error?: { message: string } } = JSON.parse(answer);
  if (error !== undefined) throw new Error(`${method}: ${error.message}`);
  return result;
}

/** The subsystems by which it shows volumes. */
export async function exportsOfTarget(): Promise<string[]> {
  const subsystems = (await askTarget("nvmf_get_subsystems")) as { nqn: string; subtype: string }[];
  return subsystems.filter(({ subtype }) => subtype === "NVMe").map(({ nqn }) => nqn);
}

/** Ends it without a word; a moment later it is started again, with nothing but its disks. */
export async function killTarget(): Promise<void> {
  await runInside(["kill", "-KILL", readFileSync(join(STATE, "target.pid"), "utf8")]);
}

/** What it was asked since its start that a real target does not survive. */
export async function hazardsOfTarget(): Promise<object> {
  return (await askTarget("emulator_get_hazards")) as object;
}
