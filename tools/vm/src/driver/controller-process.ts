import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CsiClient } from "@org/csi-framework";

import type { Bundles } from "./bundle.ts";
import type { EmulatedTarget } from "./emulated-target.ts";
import { ServedProcess } from "./served-process.ts";

/** The driver's controller in a process of its own. */
export class ControllerProcess {
  readonly #endpoint: string;
  readonly #process: ServedProcess;

  #csi: CsiClient | undefined;

  readonly #dir: string;

  /** It is not started. */
  constructor(dir: string, { driver }: Bundles) {
    this.#dir = dir;
    this.#endpoint = `unix://${join(dir, "csi.sock")}`;
    this.#process = new ServedProcess({
      name: "the controller",
      args: [driver, "controller", "--endpoint", this.#endpoint, "--log-format", "text"],
      env: { SPDKCSI_CONFIG: join(dir, "config.json"), SPDKCSI_SECRET: join(dir, "secret.json") },
      ready: /serving/,
    });
  }

  /** Writes its configuration: its targets, and what more is said of each, by name. */
  async configure(targets: readonly EmulatedTarget[], more: Readonly<Record<string, object>> = {}): Promise<void> {
    const nodes = targets.map(({ name, config }) => ({ ...config, ...more[name] }));
    const rpcTokens = targets.map(({ name, credentials }) => ({ name, ...credentials }));
    await writeFile(join(this.#dir, "config.json"), JSON.stringify({ nodes }));
    await writeFile(join(this.#dir, "secret.json"), JSON.stringify({ rpcTokens }), { mode: 0o600 });
  }

  /** Its calls, on a connection of its own for each time it is started. */
  get csi(): CsiClient {
    if (this.#csi === undefined) throw new Error("the controller is not started");
    return this.#csi;
  }

  async start(): Promise<void> {
    await this.#process.start();
    this.#csi?.close();
    this.#csi = new CsiClient(this.#endpoint);
  }

  /** Ends it in the middle of whatever it does. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  async stop(): Promise<void> {
    this.#csi?.close();
    await this.#process.stop();
  }

  get log(): string {
    return this.#process.log;
  }
}
