import { spawnSync } from "node:child_process";

/** Runs a command with its output on ours; throws when it does not end with 0. */
export function run(command: string, args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): void {
  const { status, error } = spawnSync(command, args, { ...options, stdio: "inherit" });
  if (error !== undefined) throw new Error(`${command} cannot be run: ${error.message}`, { cause: error });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}`);
}
