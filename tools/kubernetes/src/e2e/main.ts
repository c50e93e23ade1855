// The driver in a real Kubernetes: starts a cluster, asks all of it, and looks that nothing is left.
// Usage: node tools/kubernetes/src/e2e/main.ts [--node namespaces | virtual-machine] [--keep] [GROUP ...]
import { parseArgs } from "node:util";

import { isNodeKind } from "../nodes.ts";
import { installSnapshots } from "../snapshots.ts";
import type { Check } from "./check.ts";
import { checkWithCluster } from "./checks.ts";
import { deployWithoutSnapshots, deployWithSnapshots } from "./deploy.ts";
import { driverReady } from "./driver.ts";
import { FAULTS } from "./groups/faults.ts";
import { SNAPSHOTS } from "./groups/snapshots.ts";
import { UPGRADE } from "./groups/upgrade.ts";
import { VOLUMES } from "./groups/volumes.ts";

const GROUPS: Readonly<Record<string, readonly Check[]>> = {
  volumes: VOLUMES,
  snapshots: SNAPSHOTS,
  faults: FAULTS,
  upgrade: UPGRADE,
};

const { values, positionals: wanted } = parseArgs({
  options: { node: { type: "string", default: "namespaces" }, keep: { type: "boolean", default: false } },
  allowPositionals: true,
});
const { node, keep } = values;
if (!isNodeKind(node)) {
  process.stderr.write(`no node is a ${node}: namespaces or virtual-machine\n`);
  process.exit(2);
}
const unknown = wanted.filter((name) => GROUPS[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(`no group ${unknown.join(", ")}: there are ${Object.keys(GROUPS).join(", ")}\n`);
  process.exit(2);
}

process.exitCode = await checkWithCluster({ node, snapshots: false, keep }, async (checks) => {
  await checks.check(
    "pain 23: without the CRDs of snapshots the driver is deployed, and stays up",
    deployWithoutSnapshots,
  );
  await installSnapshots();
  await checks.check("with them snapshots are added to it", deployWithSnapshots);
  for (const [group, all] of Object.entries(GROUPS)) {
    if (wanted.length > 0 && !wanted.includes(group)) continue;
    for (const [index, each] of all.entries()) await checks.inNamespace(`${group}-${index}`, each);
  }
  await checks.check("the driver is whole", driverReady);
});
