import { type Config, type ConfigPaths, loadConfig } from "../config/config-file.ts";
import { ConfigError } from "../config/document.ts";
import { chosenTargets } from "../reports/open-targets.ts";
import { Targets } from "../targets/targets.ts";
import { LvolNames } from "../volumes/lvol-names.ts";
import { checkTarget } from "./check-target.ts";
import { type Finding, findingsOf } from "./finding.ts";

/** What the controller is checked against. */
export interface ControllerChecks {
  readonly paths: ConfigPaths;
  readonly cluster: string;
  /** The name of the one target to ask; all by default. */
  readonly target: string | undefined;
  readonly rpcTimeoutMs: number;
  readonly now: () => Date;
}

/** What was found, and whether there is a configuration that can be used. */
export interface ControllerFindings {
  readonly findings: readonly Finding[];
  readonly isConfigured: boolean;
}

/** All that the controller needs: its configuration, and the targets in it, side by side. Throws UsageError. */
export async function checkController(checks: ControllerChecks): Promise<ControllerFindings> {
  const { paths, cluster, now } = checks;
  const { failed } = findingsOf("configuration", "valid");
  let config: Config;
  try {
    config = await loadConfig(paths);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const remedy =
      "correct it (the guide to the configuration has every field); a node needs none: spdk-csi doctor --node";
    return { findings: error.problems.map((problem) => failed(problem, remedy)), isConfigured: false };
  }
  const targets = new Targets(chosenTargets(config.targets, checks.target), checks.rpcTimeoutMs);
  try {
    const owner = { cluster, names: new LvolNames(cluster), now };
    const found = await Promise.all(targets.all.map((target) => checkTarget(target, owner)));
    return { findings: [...checkConfig(config, paths), ...found.flat()], isConfigured: true };
  } finally {
    await targets.close();
  }
}

function checkConfig({ targets, warnings }: Config, { configPath }: ConfigPaths): readonly Finding[] {
  const { ok, warning } = findingsOf("configuration", "valid");
  const names = targets.map(({ name, cordoned }) => (cordoned ? `${name} (cordoned)` : name)).join(", ");
  return [
    ok(`${configPath} has ${targets.length === 1 ? "1 target" : `${targets.length} targets`}: ${names}`),
    ...warnings.map((text) => warning(text, "take it out, or correct the name")),
  ];
}
