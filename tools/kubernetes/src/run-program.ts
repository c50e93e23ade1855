import { execFile } from "node:child_process";

const OUTPUT_BYTES = 64 * 1024 ** 2;

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What it reads; nothing by default. */
  readonly input?: string;
  /** Milliseconds after which it is ended; it may take any time by default. */
  readonly timeout?: number;
}

/** Runs a program; gives what it prints, and throws with what it says when it fails. */
export function runProgram(
  program: string,
  args: readonly string[],
  { input = "", ...options }: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { ...options, maxBuffer: OUTPUT_BYTES }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(`${program} ${args.join(" ")}: ${(stderr || error.message).trim()}`));
    });
    // It may end without having read; how it ends tells all.
    child.stdin?.once("error", () => undefined).end(input);
  });
}
