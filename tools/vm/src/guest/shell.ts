import { execFile } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs a shell command; gives what it prints. Rejects with its errors when it fails. */
export async function sh(command: string, timeoutMs = 90_000): Promise<string> {
  try {
    const { stdout } = await run("bash", ["-c", `set -o pipefail; ${command}`], {
      timeout: timeoutMs,
      maxBuffer: 2 ** 26,
    });
    return stdout.trim();
  } catch (error) {
    const said = typeof error === "object" && error !== null && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(`${command.split("\n")[0]}: ${said === "" ? String(error) : said}`, { cause: error });
  }
}

/** Begins a shell command that is awaited later, whatever fails in between. */
export function begin(command: string): Promise<string> {
  const running = sh(command);
  running.catch(() => undefined);
  return running;
}

/** Waits until something is so. */
export async function until(what: string, so: () => Promise<boolean> | boolean, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await so())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await setTimeout(100);
  }
}

/** Throws unless two values are equal. */
export function same(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`${what}: ${String(got)}, not ${String(wanted)}`);
}

/** Throws unless something is so. */
export function ensure(what: string, so: boolean): void {
  if (!so) throw new Error(what);
}
