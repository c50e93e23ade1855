import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { CommandIo } from "../src/commands/command-io.ts";
import { run as doctor } from "../src/commands/doctor.ts";
import { parseOptions } from "../src/commands/options.ts";
import { run as orphans } from "../src/commands/orphans.ts";
import { run as volumes } from "../src/commands/volumes.ts";
import { ADDRESS, dir } from "./driver-under-test.ts";

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A target as the configuration has it; the portal is one where nobody but this process's targets listens. */
export function configured(name: string, rpcURL: string, more: object = {}): object {
  return { name, rpcURL, targetType: "nvme-tcp", targetAddr: ADDRESS, ...more };
}

/** Writes a configuration, and gives the environment that leads to it. */
export async function environment(
  nodes: readonly object[],
  rpcTokens: readonly object[] = [],
): Promise<{ SPDKCSI_CONFIG: string; SPDKCSI_SECRET: string }> {
  const [SPDKCSI_CONFIG, SPDKCSI_SECRET] = [join(dir, "config.json"), join(dir, "secret.json")];
  await writeFile(SPDKCSI_CONFIG, JSON.stringify({ nodes }));
  await writeFile(SPDKCSI_SECRET, JSON.stringify({ rpcTokens }));
  return { SPDKCSI_CONFIG, SPDKCSI_SECRET };
}

/** Runs a command as its command line says. */
export async function runCommand(
  args: readonly string[],
  env: CommandIo["env"],
  stdin: readonly string[] = [],
): Promise<Ended> {
  const written = { stdout: "", stderr: "" };
  const io: CommandIo = {
    env,
    stdin: (async function* () {
      yield* stdin;
    })(),
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
  };
  const options = parseOptions(args);
  const code = await start(options, io);
  return { code, ...written };
}

function start(options: ReturnType<typeof parseOptions>, io: CommandIo): Promise<number> {
  if (options.command === "doctor") return doctor(options, io);
  if (options.command === "volumes") return volumes(options, io);
  if (options.command === "orphans") return orphans(options, io);
  throw new TypeError(`${options.command} is not run here`);
}
