import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { BINARIES } from "./places.ts";
import { clusterEnv } from "./running-cluster.ts";

/** Installs the CRDs of snapshots and the snapshot-controller, which are the cluster's and no driver's. */
export async function installSnapshots(): Promise<void> {
  const args = ["apply", "--server-side", "-f", join(BINARIES, "snapshots")];
  await promisify(execFile)("kubectl", args, { env: clusterEnv() });
}
