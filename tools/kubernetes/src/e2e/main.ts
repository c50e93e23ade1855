// The driver in a real Kubernetes: starts a cluster, asks all of it, and looks that nothing is left.
// Usage: node tools/kubernetes/src/e2e/main.ts [--keep] [GROUP ...]
import { parseArgs } from "node:util";

import { installSnapshots } from "../snapshots.ts";
import { type Check, expectNone } from "./check.ts";
import { deployWithoutSnapshots, deployWithSnapshots } from "./deploy.ts";
import { driver, driverReady, nothingIsLeft } from "./driver.ts";
import { FAULTS } from "./groups/faults.ts";
import { SNAPSHOTS } from "./groups/snapshots.ts";
import { UPGRADE } from "./groups/upgrade.ts";
import { VOLUMES } from "./groups/volumes.ts";
import { Kubectl } from "./kubectl.ts";
import { onCluster } from "./on-cluster.ts";

const GROUPS: Readonly<Record<string, readonly Check[]>> = {
  volumes: VOLUMES,
  snapshots: SNAPSHOTS,
  faults: FAULTS,
  upgrade: UPGRADE,
};

const counts = { passed: 0, failed: 0 };

/** Tells whether something held, and how long that took. */
async function check(name: string, work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1);
  try {
    await work();
    counts.passed++;
    process.stdout.write(`ok      ${name} (${seconds()} s)\n`);
  } catch (error) {
    counts.failed++;
    process.stdout.write(`FAILED  ${name} (${seconds()} s)\n  ${String(error).replaceAll("\n", "\n  ")}\n`);
  }
}

async function inNamespace(namespace: string, { name, run }: Check): Promise<void> {
  await driver.run(["create", "namespace", namespace]);
  await check(name, () => run(new Kubectl(namespace)));
  await driver.run(["delete", "namespace", namespace, "--timeout=120s"]).catch((error: unknown) => {
    process.stdout.write(`  ${String(error)}\n`);
  });
}

async function main(args: readonly string[]): Promise<number> {
  const options = { keep: { type: "boolean", default: false } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const unknown = positionals.filter((name) => GROUPS[name] === undefined);
  if (unknown.length > 0) {
    process.stderr.write(`no group ${unknown.join(", ")}: there are ${Object.keys(GROUPS).join(", ")}\n`);
    return 2;
  }
  const left = await onCluster({ keep: values.keep, snapshots: false }, async () => {
    await check("pain 23: without the CRDs of snapshots the driver is deployed, and stays up", deployWithoutSnapshots);
    await installSnapshots();
    await check("with them snapshots are added to it", deployWithSnapshots);
    for (const [group, checks] of Object.entries(GROUPS)) {
      if (positionals.length > 0 && !positionals.includes(group)) continue;
      for (const [index, each] of checks.entries()) await inNamespace(`${group}-${index}`, each);
    }
    await driverReady();
    await check("nothing is left of the volumes", nothingIsLeft);
  });
  if (!values.keep) await check("nothing is left of the cluster", async () => expectNone(left));
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  return counts.failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
