import type { Host } from "@org/node-mounter";

import { COMMAND_CHECKS } from "./check-commands.ts";
import { KERNEL_CHECKS } from "./check-kernel.ts";
import { checkKubelet } from "./check-kubelet.ts";
import { checkRecords } from "./check-records.ts";
import { checkSessions, type NodeName } from "./check-sessions.ts";
import { attempt, type Finding, findingsOf } from "./finding.ts";
import type { NodeCheck } from "./node-check.ts";

/** What the node of this machine is checked against. */
export interface NodeChecks extends NodeName {
  /** Where it keeps its records; undefined where nobody said it. */
  readonly stateDir: string | undefined;
}

/** All that the node needs of its machine. Changes nothing, and loads no module. */
export async function checkNode(host: Host, checks: NodeChecks): Promise<readonly Finding[]> {
  const alone = ({ check, run }: NodeCheck) => attempt(findingsOf("node", check), async () => [await run(host)]);
  const found = await Promise.all([
    ...KERNEL_CHECKS.map(alone),
    attempt(findingsOf("node", "sessions"), () => checkSessions(host, checks)),
    ...COMMAND_CHECKS.map(alone),
    attempt(findingsOf("node", "state"), () => checkRecords(host, checks.stateDir)),
    attempt(findingsOf("node", "kubelet"), () => checkKubelet(host)),
  ]);
  return found.flat();
}
