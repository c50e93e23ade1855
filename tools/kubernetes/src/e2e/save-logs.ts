import { cp, rm } from "node:fs/promises";
import { join } from "node:path";

import { keeperOf } from "../cluster.ts";
import { FAILED_LOGS, STATE } from "../places.ts";
import { driver } from "./driver.ts";

/** Keeps what the cluster's programs and the driver's pods have said, for after its end; as much of it as can be had. */
export async function saveLogs(): Promise<void> {
  // One that has ended by itself has done so.
  if (keeperOf() === undefined) return;
  await rm(FAILED_LOGS, { recursive: true, force: true });
  await cp(join(STATE, "log"), FAILED_LOGS, { recursive: true });
  const folder = join(FAILED_LOGS, "pods");
  const namespaces = ["kube-system", driver.namespace].join(",");
  const dump = ["cluster-info", "dump", `--namespaces=${namespaces}`, `--output-directory=${folder}`];
  await driver.run(dump).catch((error: unknown) => process.stdout.write(`${String(error)}\n`));
  process.stdout.write(`the logs are in ${FAILED_LOGS}\n`);
}
