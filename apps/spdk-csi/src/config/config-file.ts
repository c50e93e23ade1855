import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { parseConfig } from "./config.ts";
import { ConfigError, type Source } from "./document.ts";
import type { TargetConfig } from "./target-config.ts";
import { whyUnread } from "./tls-files.ts";

/** Where the configuration stands. */
export interface ConfigPaths {
  readonly configPath: string;
  readonly secretPath: string;
  /** Whether the secret may be missing: targets on sockets need none. */
  readonly secretOptional: boolean;
}

/** A configuration as it was read. */
export interface Config {
  readonly targets: readonly TargetConfig[];
  /** What is no error, but hardly meant. */
  readonly warnings: readonly string[];
  /** Whether there was a secret. */
  readonly hasSecret: boolean;
}

/** The paths that the environment names, else those of upstream's deployment, where the secret may be missing. */
export function configPaths(env: Readonly<Record<string, string | undefined>>): ConfigPaths {
  const { SPDKCSI_CONFIG: config, SPDKCSI_SECRET: secret } = env;
  return {
    configPath: config || "/etc/spdkcsi-config/config.json",
    secretPath: secret || "/etc/spdkcsi-secret/secret.json",
    secretOptional: !secret,
  };
}

/** Reads the configuration. @throws ConfigError with everything that is wrong in it */
export async function loadConfig({ configPath, secretPath, secretOptional }: ConfigPaths): Promise<Config> {
  const problems: string[] = [];
  const config = await readSource(configPath, "SPDKCSI_CONFIG", problems);
  const secret = await readSource(secretPath, "SPDKCSI_SECRET", problems, secretOptional);
  if (config === undefined || problems.length > 0) throw new ConfigError(problems);
  const warnings: string[] = [];
  const targets = parseConfig(config, secret, {
    readFile: (path) => readFileSync(path, "utf8"),
    warn: (warning) => void warnings.push(warning),
  });
  return { targets, warnings, hasSecret: secret !== undefined };
}

async function readSource(
  file: string,
  variable: string,
  problems: string[],
  isOptional = false,
): Promise<Source | undefined> {
  try {
    return { file, text: await readFile(file, "utf8") };
  } catch (error) {
    const why = whyUnread(error);
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing || !isOptional) problems.push(`${file} ${why}: name the file in ${variable}`);
    return undefined;
  }
}
