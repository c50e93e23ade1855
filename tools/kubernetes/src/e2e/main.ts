// The driver in a real Kubernetes: starts a cluster, asks all of it, and looks that nothing is left.
// Usage: node tools/kubernetes/src/e2e/main.ts [--keep] [GROUP ...]
import { parseArgs } from "node:util";

import { keeperOf, startCluster, stopCluster } from "../cluster.ts";
import { stepPrinter } from "../report.ts";
import { installSnapshots } from "../snapshots.ts";
import type { Check } from "./check.ts";
import { deployWithoutSnapshots, deployWithSnapshots } from "./deploy.ts";
import { driver, driverReady, leftovers } from "./driver.ts";
import { FAULTS } from "./groups/faults.ts";
import { SNAPSHOTS } from "./groups/snapshots.ts";
import { UPGRADE } from "./groups/upgrade.ts";
import { VOLUMES } from "./groups/volumes.ts";
import { Kubectl } from "./kubectl.ts";
import { machineState } from "./machine-state.ts";

const GROUPS: Readonly<Record<string, readonly Check[]>> = {
  volumes: VOLUMES,
  snapshots: SNAPSHOTS,
  faults: FAULTS,
  upgrade: UPGRADE,
};
const LEFTOVERS_MS = 60_000;

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
  if (keeperOf() !== undefined) throw new Error("a cluster runs already: npm run cluster -- stop ends it");
  const before = machineState();
  const end = (): void => void stopCluster().finally(() => process.exit(143));
  process.once("SIGTERM", end).once("SIGINT", end);
  try {
    await startCluster(stepPrinter(process.stdout), { snapshots: false });
    process.stdout.write("\n");
    await check("pain 23: without the CRDs of snapshots the driver is deployed, and stays up", deployWithoutSnapshots);
    await installSnapshots();
    await check("with them snapshots are added to it", deployWithSnapshots);
    for (const [group, checks] of Object.entries(GROUPS)) {
      if (positionals.length > 0 && !positionals.includes(group)) continue;
      for (const [index, each] of checks.entries()) await inNamespace(`${group}-${index}`, each);
    }
    await driverReady();
    await check("nothing is left of the volumes", nothingIsLeft);
  } finally {
    if (!values.keep) await stopCluster();
  }
  if (!values.keep) {
    await check("nothing is left of the cluster", async () => {
      const left = machineState().filter((line) => !before.includes(line));
      if (left.length > 0) throw new Error(left.join("\n"));
    });
  }
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  return counts.failed === 0 ? 0 : 1;
}

async function nothingIsLeft(): Promise<void> {
  const deadline = Date.now() + LEFTOVERS_MS;
  let left = await leftovers();
  while (left.length > 0 && Date.now() < deadline) left = await leftovers();
  if (left.length > 0) throw new Error(left.join("\n"));
}

process.exitCode = await main(process.argv.slice(2));
