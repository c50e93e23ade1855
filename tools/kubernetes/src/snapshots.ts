import { join } from "node:path";

import { localNode } from "./nodes.ts";
import { BINARIES } from "./places.ts";
import { runProgram } from "./run-program.ts";
import { clusterEnv, nodeKind } from "./running-cluster.ts";

/** Installs the CRDs of snapshots and the snapshot-controller, which are the cluster's and no driver's. */
export async function installSnapshots(): Promise<void> {
  await kubectl("apply", "--server-side", "-f", join(BINARIES, "snapshots"));
  const { isControl, name } = localNode(nodeKind());
  if (!isControl) return;
  const spec = { nodeSelector: { "kubernetes.io/hostname": name }, tolerations: [{ operator: "Exists" }] };
  const patch = JSON.stringify({ spec: { template: { spec } } });
  await kubectl("--namespace=kube-system", "patch", "deployment", "snapshot-controller", "--patch", patch);
}

async function kubectl(...args: string[]): Promise<void> {
  await runProgram("kubectl", args, { env: clusterEnv() });
}
