import { cp, rm } from "node:fs/promises";
import { join } from "node:path";

import { FAILED_LOGS, STATE } from "../places.ts";
import { driver } from "./driver.ts";

/** Keeps what the cluster's programs and the driver's pods have said, for after its end. */
export async function saveLogs(): Promise<void> {
  await rm(FAILED_LOGS, { recursive: true, force: true });
  await cp(join(STATE, "log"), FAILED_LOGS, { recursive: true });
  const folder = join(FAILED_LOGS, "pods");
  const namespaces = ["kube-system", driver.namespace].join(",");
  await driver.run(["cluster-info", "dump", `--namespaces=${namespaces}`, `--output-directory=${folder}`]);
  process.stdout.write(`the logs are in ${FAILED_LOGS}\n`);
}
