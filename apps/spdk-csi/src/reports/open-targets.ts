import type { CommandIo } from "../commands/command-io.ts";
import { UsageError } from "../commands/flags.ts";
import { configPaths, loadConfig } from "../config/config-file.ts";
import { ConfigError } from "../config/document.ts";
import type { TargetConfig } from "../config/target-config.ts";
import type { Target } from "../targets/target.ts";
import { Targets } from "../targets/targets.ts";

/** What a command is told of the targets that it asks. */
export interface AskedTargets {
  /** The name of the one to ask; all by default. */
  readonly target: string | undefined;
  readonly rpcTimeoutMs: number;
}

/** Of the configured targets those that a command is to ask. Throws UsageError for a name that none has. */
export function chosenTargets(all: readonly TargetConfig[], name: string | undefined): readonly TargetConfig[] {
  const chosen = name === undefined ? all : all.filter((target) => target.name === name);
  if (chosen.length > 0) return chosen;
  throw new UsageError(`--target "${name}": the configuration has ${all.map((target) => target.name).join(", ")}`);
}

/**
 * Works with the targets of the configuration, and lets go of them; answers with what `work` does. A configuration that
 * cannot be used is told on stderr with a line for each thing, and the exit status is 2.
 */
export async function withTargets(
  { target, rpcTimeoutMs }: AskedTargets,
  { env, stderr }: CommandIo,
  work: (targets: readonly Target[]) => Promise<number>,
): Promise<number> {
  let configs: readonly TargetConfig[];
  try {
    configs = (await loadConfig(configPaths(env))).targets;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) stderr.write(`spdk-csi: ${problem}\n`);
    return 2;
  }
  const targets = new Targets(chosenTargets(configs, target), rpcTimeoutMs);
  try {
    return await work(targets.all);
  } finally {
    await targets.close();
  }
}
