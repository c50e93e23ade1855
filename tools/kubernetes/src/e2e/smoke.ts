// The driver in a real Kubernetes, once through: installed, a claim, a pod, a snapshot, all deleted again. Where Kubernetes
// has not been built, this says so and ends: building takes too long for what is run after each change.
// Usage: node tools/kubernetes/src/e2e/smoke.ts
import { areBinariesBuilt } from "../binaries.ts";
import { keeperOf } from "../cluster.ts";
import { checkWithCluster } from "./checks.ts";
import { deployWithSnapshots } from "./deploy.ts";
import { LIFE } from "./groups/life.ts";

const obstacle = findObstacle();
if (obstacle === undefined) {
  process.exitCode = await checkWithCluster({ snapshots: true }, async (checks) => {
    await checks.check("the driver is deployed", deployWithSnapshots);
    await checks.inNamespace("life", LIFE);
  });
} else {
  process.stdout.write(`SKIPPED: the driver in a real Kubernetes: ${obstacle}\n`);
}

function findObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "it needs root";
  if (!areBinariesBuilt()) return "its programs have not been built here (npm run cluster -- build)";
  if (keeperOf() !== undefined) return "a cluster runs already (npm run cluster -- stop)";
  return undefined;
}
