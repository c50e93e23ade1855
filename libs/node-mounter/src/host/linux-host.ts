import { spawn } from "node:child_process";

import type { Host, RunOptions, RunResult } from "./host.ts";
import { HostError } from "./host-error.ts";
import { linuxFiles } from "./linux-files.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_CHARS = 1024 * 1024;

/** How the real host is made. */
export interface LinuxHostOptions {
  /** Where commands are looked for. Default: the usual six directories. Nothing else of the environment is inherited. */
  readonly path?: string;
}

/** The machine that this process runs on. Mounting and formatting need root. */
export function linuxHost({ path = DEFAULT_PATH }: LinuxHostOptions = {}): Host {
  const env = { PATH: path, LC_ALL: "C" };
  const run: Host["run"] = (command, args, options = {}) => runCommand({ command, args, env }, options);
  return { run, files: linuxFiles(run) };
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

function runCommand({ command, args, env }: Command, options: RunOptions): Promise<RunResult> {
  const { input = "", timeoutMs = DEFAULT_TIMEOUT_MS, signal, onTimeout = "kill" } = options;
  const line = [command, ...args].join(" ");
  if (signal?.aborted === true)
    return Promise.reject(new HostError("ABORTED", `${line}: not started, the call was aborted`));
  return new Promise((resolve, reject) => {
    // Its own process group: an interrupt of ours must not reach a mkfs that is to be left alone.
    const child = spawn(command, args, { env, stdio: "pipe", detached: onTimeout === "leave" });
    if (child.pid === undefined) {
      // Where file descriptors are used up it has not even pipes.
      child.once("error", (cause: NodeJS.ErrnoException) => reject(spawnError(command, cause)));
      return;
    }
    // One that could not be killed reports here; it has not ended.
    child.on("error", () => undefined);
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const settled = new Promise<void>((ended) => {
      child.on("close", () => ended());
    });
    const give = (code: "TIMEOUT" | "ABORTED", why: string): void => {
      if (onTimeout === "kill") child.kill("SIGKILL");
      const fate = onTimeout === "kill" ? "killed" : "left running";
      reject(new HostError(code, `${line}: ${why}; it was ${fate}`, { settled }));
    };
    const onAbort = (): void => give("ABORTED", "the call was aborted");
    const timer = setTimeout(() => give("TIMEOUT", `no end after ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    child.on("close", (code, killedBy) => {
      finish();
      resolve({ exitCode: code ?? 128 + (SIGNALS[killedBy ?? "SIGKILL"] ?? 0), stdout: stdout(), stderr: stderr() });
    });
    // A command that does not read its input closes the pipe; its exit code says the rest.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

function spawnError(command: string, cause: NodeJS.ErrnoException): HostError {
  return cause.code === "ENOENT"
    ? new HostError("COMMAND_NOT_FOUND", `${command} is not installed: add it to the image or host`, { cause })
    : new HostError("SPAWN_FAILED", `${command} could not be started: ${cause.message}`, { cause });
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    if (text.length < MAX_OUTPUT_CHARS) text += chunk;
  });
  return () => text;
}
