import type { Inventory } from "../reports/inventory.ts";
import { rpcCommand } from "../reports/rpc-command.ts";
import type { Target } from "../targets/target.ts";
import { type Finding, findingsOf } from "./finding.ts";

/** SPDK's own limit where none was set. */
const DEFAULT_MAX = 1024;

/** From this share on the limit is near. */
const NEAR = 0.9;

/** Whether the target has its transport. It starts without, and forgets it with every restart. */
export async function checkTransport(target: Target): Promise<readonly Finding[]> {
  const { ok } = findingsOf(`target ${target.name}`, "transport");
  const transports = (await target.call("nvmf_get_transports")).map(({ trtype }) => trtype.toUpperCase());
  return [ok(transports.includes("TCP") ? "TCP is there" : "no TCP yet: it is made with the first publish")];
}

/** Whether there is room for further subsystems; every exported volume takes one. */
export async function checkLimit(target: Target, { subsystems }: Inventory): Promise<readonly Finding[]> {
  const { ok, warning, failed } = findingsOf(`target ${target.name}`, "subsystems");
  const max = await readLimit(target);
  // The discovery subsystem counts.
  const what = `${subsystems.length} of ${max}`;
  const remedy = `start the target with --wait-for-rpc, and before framework_start_init: ${rpcCommand(
    target.config,
    "nvmf_set_max_subsystems",
    { max_subsystems: max * 2 },
  )}`;
  if (subsystems.length >= max) return [failed(`${what}: no further volume can be published`, remedy)];
  return [subsystems.length >= max * NEAR ? warning(what, remedy) : ok(what)];
}

async function readLimit(target: Target): Promise<number> {
  const config = await target.call("framework_get_config", { name: "nvmf" });
  const limit = config.find(({ method }) => method === "nvmf_set_max_subsystems")?.params?.["max_subsystems"];
  return typeof limit === "number" ? limit : DEFAULT_MAX;
}
