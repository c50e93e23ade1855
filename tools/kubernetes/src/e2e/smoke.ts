// The driver in a real Kubernetes, once through: installed, a claim, a pod, a snapshot, all deleted again. Where Kubernetes
// has not been built, this says so and ends: building takes too long for what is run after each change.
// Usage: node tools/kubernetes/src/e2e/smoke.ts
import { areBinariesBuilt } from "../binaries.ts";
import { inCluster } from "./checks.ts";
import { deployWithSnapshots } from "./deploy.ts";
import { LIFE } from "./groups/life.ts";

if (process.getuid?.() !== 0 || !areBinariesBuilt()) {
  const why = process.getuid?.() === 0 ? "its programs have not been built on this machine" : "it needs root";
  process.stdout.write(`SKIPPED: the driver in a real Kubernetes: ${why} (npm run cluster -- build)\n`);
} else {
  process.exitCode = await inCluster({ snapshots: true }, async (checks) => {
    await checks.check("the driver is deployed", deployWithSnapshots);
    await checks.inNamespace("life", LIFE);
  });
}
