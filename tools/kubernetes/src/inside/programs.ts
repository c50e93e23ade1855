import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { INSIDE } from "../places.ts";

/** Where the cluster's programs are, as they see it themselves. */
export const BIN: string = join(INSIDE, "bin");
/** Where their configuration is. */
export const ETC: string = join(INSIDE, "etc");

const POLL_MS = 50;
const START_MS = 180_000;

/** Where programs write to: "files" of their own in the cluster's folder, or all of them what this process "inherits". */
export type Logs = "files" | "inherit";

/** The cluster's programs on one machine; all of them end with the first. */
export class Programs {
  readonly #logs: Logs;

  constructor(logs: Logs) {
    this.#logs = logs;
    process.env["PATH"] = `${BIN}:${process.env["PATH"]}`;
  }

  /** Starts a program of {@link BIN}, which is to run as long as the cluster. */
  start(name: string, args: readonly string[]): void {
    const child = this.#spawn(name, join(BIN, name), args);
    const fail = (why: string): void => {
      process.stderr.write(`${name}: ${why}; see ${name}.log\n`);
      process.exit(1);
    };
    child.once("error", (error) => fail(String(error)));
    child.once("exit", (code, signal) => fail(`ended (${signal ?? code})`));
  }

  /** Runs a program of {@link BIN} for as long as `work` takes. */
  async during(name: string, args: readonly string[], work: () => Promise<void>): Promise<void> {
    const child = this.#spawn(name, join(BIN, name), args);
    const ended = new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject));
    await work();
    child.kill();
    await ended;
  }

  /** Starts a program of Node.js, which may end: it is started again, after `pauseMs`. `onStart` is told its process. */
  async keep(name: string, args: readonly string[], pauseMs: number, onStart: (pid: number) => void): Promise<never> {
    for (;;) {
      const child = this.#spawn(name, process.execPath, args);
      if (child.pid !== undefined) onStart(child.pid);
      await new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
      await setTimeout(pauseMs);
    }
  }

  /** Runs a program to its end. */
  async run(name: string, args: readonly string[]): Promise<void> {
    const child = this.#spawn(name, join(BIN, name), args);
    const code = await new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject));
    if (code !== 0) throw new Error(`${name} ${args.join(" ")} failed; see ${name}.log`);
  }

  #spawn(name: string, program: string, args: readonly string[]): ChildProcess {
    if (this.#logs === "inherit") return spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] });
    const log = openSync(join(INSIDE, "log", `${name}.log`), "a");
    try {
      return spawn(program, args, { stdio: ["ignore", log, log] });
    } finally {
      closeSync(log);
    }
  }
}

/** Tells whoever started the cluster what has been reached. */
export function tell(step: string): void {
  process.stdout.write(`${step}\n`);
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${START_MS / 1000} s`);
    await setTimeout(POLL_MS);
  }
}
