import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const KEPT_LINES = 60;

/** What a {@link ServedProcess} runs. */
export interface ServedProgram {
  /** What errors call it. */
  readonly name: string;
  /** Node.js' arguments. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints once it serves. */
  readonly ready: RegExp;
}

/** A program that serves, which can be killed without a word and started again. */
export class ServedProcess {
  readonly #program: ServedProgram;
  readonly #lines: string[] = [];
  #child: ChildProcess | undefined;

  constructor(program: ServedProgram) {
    this.#program = program;
  }

  /** The last that it said. */
  get log(): string {
    return this.#lines.join("\n");
  }

  /** Resolves once it serves. */
  async start(): Promise<void> {
    const { name, args, env = {}, ready } = this.#program;
    const child = spawn(process.execPath, ["--conditions=@org/source", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      const take = (text: string): void => {
        this.#lines.push(...text.trimEnd().split("\n"));
        this.#lines.splice(0, this.#lines.length - KEPT_LINES);
        if (ready.test(text)) resolve();
      };
      child.stdout.setEncoding("utf8").on("data", take);
      child.stderr.setEncoding("utf8").on("data", take);
      child.on("error", reject);
      child.on("exit", () => reject(new Error(`${name} did not start: ${this.log}`)));
    });
  }

  /** Ends it as SIGTERM does. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}
