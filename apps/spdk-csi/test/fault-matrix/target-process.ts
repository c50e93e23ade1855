import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Emulator } from "@org/spdk-emulator";
import { connect, type SpdkClient } from "@org/spdk-rpc";

/** A target that can be started anew, losing its memory and keeping its disk. */
export interface TargetProcess {
  call(method: string, params?: object): Promise<unknown>;
  restart(): Promise<void>;
  close(): Promise<void>;
  /** Calls that have met although they crash or hang a real target; a real one shows it by its end. */
  readonly hazards: Readonly<Record<string, number>>;
}

/** The `spdk_tgt` to use instead of the emulator. */
export const REAL_BINARY: string | undefined = process.env["SPDK_TGT"];

/** An emulated target of a version, which listens on `spdk.sock` in `dir`. */
export async function emulatedTarget(dir: string, spdkVersion: string): Promise<TargetProcess> {
  const listen = [`unix://${join(dir, "spdk.sock")}`];
  return Emulator.start({ listen, dir: join(dir, "data"), spdkVersion });
}

/** A real target, which is killed to start it anew. */
export class RealTarget implements TargetProcess {
  readonly #dir: string;
  readonly #binary: string;
  readonly #client: SpdkClient;
  #child: ChildProcess | undefined;
  #isEnding = false;
  #crashes = 0;

  private constructor(dir: string, binary: string) {
    this.#dir = dir;
    this.#binary = binary;
    this.#client = connect(`unix://${this.#socket}`);
  }

  static async start(dir: string, binary: string): Promise<RealTarget> {
    const target = new RealTarget(dir, binary);
    await target.#start();
    return target;
  }

  get #socket(): string {
    return join(this.#dir, "spdk.sock");
  }

  get hazards(): Readonly<Record<string, number>> {
    return this.#crashes === 0 ? {} : { "the target has ended by itself": this.#crashes };
  }

  call(method: string, params?: object): Promise<unknown> {
    return this.#client.call(method, params === undefined ? undefined : { ...params });
  }

  async restart(): Promise<void> {
    await this.#kill();
    await this.#start();
  }

  async close(): Promise<void> {
    await this.#client.close();
    await this.#kill();
  }

  async #start(): Promise<void> {
    // SPDK does not take over the socket of one that was killed.
    rmSync(this.#socket, { force: true });
    // Another target may run on the same core.
    const cpus = ["-m", "0x1", "--disable-cpumask-locks"];
    const args = [...cpus, "--no-huge", "-s", "1024", "--no-pci", "-r", this.#socket];
    this.#isEnding = false;
    this.#child = spawn(this.#binary, args, { cwd: this.#dir, stdio: "ignore" });
    this.#child.once("exit", () => {
      if (!this.#isEnding) this.#crashes += 1;
    });
    const deadline = Date.now() + 30_000;
    while (!(await this.#answers())) {
      if (Date.now() > deadline) throw new Error(`${this.#binary} does not answer within 30 s`);
      await sleep(50);
    }
  }

  async #answers(): Promise<boolean> {
    try {
      await this.#client.call("framework_wait_init");
      return true;
    } catch {
      return false;
    }
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    this.#isEnding = true;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}
