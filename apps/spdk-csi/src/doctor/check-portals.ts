import { createConnection } from "node:net";

import type { Portal } from "../config/target-config.ts";
import { portalName } from "../exports/export-context.ts";
import { hasListener } from "../exports/export-parts.ts";
import type { Inventory } from "../reports/inventory.ts";
import { isLoopback, rpcPlace } from "../reports/rpc-place.ts";
import type { Target } from "../targets/target.ts";
import { type Finding, findingsOf } from "./finding.ts";

const TIMEOUT_MS = 3_000;

/**
 * Whether the portals can be addresses of the target. SPDK does not tell its addresses: what can be told is whether
 * somebody takes connections there, as far as this machine reaches them, which nodes alone have to.
 */
export async function checkPortals(target: Target, { subsystems }: Inventory): Promise<readonly Finding[]> {
  return Promise.all(
    target.config.portals.map(async (portal) => {
      const exports = subsystems.filter((subsystem) => hasListener(subsystem, portal)).length;
      return judge(target, portal, { exports, answer: await knock(portal) });
    }),
  );
}

interface Seen {
  /** How many subsystems listen there, as the target says. */
  readonly exports: number;
  readonly answer: "taken" | "refused" | "none";
}

function judge({ name, config }: Target, portal: Portal, { exports, answer }: Seen): Finding {
  const { ok, warning, skipped } = findingsOf(`target ${name}`, "portal");
  const at = portalName(portal);
  const onNode = `on a node: nc -vz ${portal.address} ${portal.port}`;
  if (isLoopback(portal.address) && !rpcPlace(config).isLocal) {
    return warning(`${at} is a loopback address, which leads each node to itself`, "give an address that nodes reach");
  }
  if (exports > 0) {
    const what = `${at}: ${exports} ${exports === 1 ? "subsystem listens" : "subsystems listen"} there`;
    if (answer === "taken") return ok(`${what}, and it takes connections`);
    const why = answer === "refused" ? "refuses connections from here" : "does not answer from here";
    return warning(`${what}, but it ${why}`, `nodes alone have to reach it: try ${onNode}`);
  }
  if (answer === "taken") {
    return warning(
      `${at} takes connections, though this target listens nowhere there: another one may have the address`,
      "see whose address it is: the portals must be the target's own",
    );
  }
  return skipped(
    `${at}: nothing is exported there yet, so whether it is the target's address cannot be told${answer === "none" ? "; from here it does not answer" : ""}`,
    `run the doctor again after the first publish, or see ip -brief address on the target's machine`,
  );
}

function knock({ address, port }: Portal): Promise<Seen["answer"]> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port });
    const end = (answer: Seen["answer"]): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end("none"), TIMEOUT_MS);
    socket.once("connect", () => end("taken"));
    socket.once("error", (error) => end("code" in error && error.code === "ECONNREFUSED" ? "refused" : "none"));
  });
}
