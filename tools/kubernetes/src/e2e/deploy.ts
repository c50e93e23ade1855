import { setTimeout } from "node:timers/promises";

import { manifestsFor, type Purpose } from "../manifests.ts";
import { nodeKind } from "../running-cluster.ts";
import { expectSame } from "./check.ts";
import { driver, driverReady, restarts } from "./driver.ts";

/** Longer than a container that fails at its start takes to do so twice. */
const SETTLED_MS = 30_000;

/** Deploys the driver; throws when anything of it cannot be applied, or does not stay up. */
export async function deployWithoutSnapshots(): Promise<void> {
  await driver.run(["apply", "-k", manifestsFor(nodeKind(), "without-snapshots")]);
  await driverReady();
  await setTimeout(SETTLED_MS);
  expectSame("restarts of containers", await restarts(), 0);
}

/** Adds snapshots to it. */
export function deployWithSnapshots(): Promise<void> {
  return deploy("with-snapshots");
}

/** Deploys the driver for the node that there is; throws when anything of it had to be started again. */
export async function deploy(purpose: Purpose): Promise<void> {
  const before = await restarts();
  await driver.run(["apply", "-k", manifestsFor(nodeKind(), purpose)]);
  await driverReady();
  // Pods that were replaced take their own along.
  const more = Math.max(0, (await restarts()) - before);
  expectSame("restarts of containers", more, 0);
}
