import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { TOOL } from "../places.ts";
import { expectSame } from "./check.ts";
import { driver, driverReady, restarts } from "./driver.ts";

/** Longer than a container that fails at its start takes to do so twice. */
const SETTLED_MS = 30_000;

/** Deploys the driver; throws when anything of it cannot be applied, or does not stay up. */
export async function deployWithoutSnapshots(): Promise<void> {
  await driver.run(["apply", "-k", join(TOOL, "manifests/without-snapshots")]);
  await driverReady();
  await setTimeout(SETTLED_MS);
  expectSame("restarts of containers", await restarts(), 0);
}

/** Adds snapshots to it. */
export function deployWithSnapshots(): Promise<void> {
  return deploy("with-snapshots");
}

/** Deploys the driver as one of the folders of `manifests` says. */
export async function deploy(manifests: string): Promise<void> {
  await driver.run(["apply", "-k", join(TOOL, "manifests", manifests)]);
  await driverReady();
  expectSame("restarts of containers", await restarts(), 0);
}
