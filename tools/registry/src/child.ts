import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** How a command is run. */
export interface ChildOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Default 5 minutes. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 10_000;
const SHOWN_LINES = 30;

/** Runs a command and returns its stdout. Throws an Error with the end of what it printed when it fails or is late. */
export async function run(command: string, args: readonly string[], options: ChildOptions): Promise<string> {
  const { child, output } = start(command, args, options);
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)]);
  try {
    await once(child, "close", { signal: limit });
  } catch (cause) {
    kill(child, "SIGKILL");
    throw new Error(`${line(command, args)}: ${String(limit.reason ?? cause)}`, { cause });
  }
  if (child.exitCode === 0) return output.stdout;
  const end = child.exitCode === null ? `was ended by ${child.signalCode}` : `ended with ${child.exitCode}`;
  throw new Error(`${line(command, args)} ${end}\n${tail(output.stdout + output.stderr)}`);
}

/** A command that runs until it is stopped. */
export interface Server {
  /** Ends it by SIGTERM; throws an Error when that takes SIGKILL. */
  stop(): Promise<void>;
}

/** Runs `work` while a command runs beside it. */
export async function beside<T>(server: Promise<Server>, work: () => Promise<T>): Promise<T> {
  const { stop } = await server;
  try {
    return await work();
  } finally {
    await stop();
  }
}

/** Starts a command and waits until `ready` says so; its output so far is given to it. */
export async function serve(
  command: string,
  args: readonly string[],
  { ready, ...options }: ChildOptions & { readonly ready: (output: string) => boolean | Promise<boolean> },
): Promise<Server> {
  const { child, output } = start(command, args, options);
  const closed = once(child, "close").then(
    () => undefined,
    (error: unknown) => error,
  );
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)]);
  while (!(await ready(output.stdout))) {
    const gone = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    if (gone || limit.aborted) {
      kill(child, "SIGKILL");
      throw new Error(`${line(command, args)} did not start\n${tail(output.stdout + output.stderr)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    async stop() {
      kill(child, "SIGTERM");
      const late = setTimeout(() => kill(child, "SIGKILL"), STOP_TIMEOUT_MS);
      await closed;
      clearTimeout(late);
      if (child.signalCode === "SIGKILL") throw new Error(`${line(command, args)} did not end after SIGTERM`);
    },
  };
}

interface Output {
  stdout: string;
  stderr: string;
}

/** In a process group of its own: what the command has started ends with it, and a Ctrl-C meant for us spares it. */
function start(command: string, args: readonly string[], { cwd, env, signal }: ChildOptions) {
  signal.throwIfAborted();
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const output: Output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  return { child, output };
}

function kill({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function line(command: string, args: readonly string[]): string {
  return [command, ...args].join(" ");
}

function tail(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .slice(-SHOWN_LINES)
    .map((each) => `      ${each}`)
    .join("\n");
}
