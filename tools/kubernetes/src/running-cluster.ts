import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { BINARIES, KUBECONFIG, STATE } from "./places.ts";

/** What a program needs to use the cluster. */
export function clusterEnv(): NodeJS.ProcessEnv {
  return { ...process.env, KUBECONFIG, PATH: `${BINARIES}:${process.env["PATH"]}` };
}

/** Runs a command in the cluster's namespaces, as root of its node. */
export function runInside(command: readonly string[], stdio: "pipe" | "inherit" = "pipe"): SpawnSyncReturns<string> {
  const first = readFileSync(join(STATE, "first-process"), "utf8");
  const namespaces = ["--mount", "--cgroup", "--net", "--pid", "--uts", "--ipc"];
  return spawnSync("nsenter", ["--target", first, ...namespaces, ...command], {
    stdio,
    env: clusterEnv(),
    encoding: "utf8",
  });
}
