import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import type { DriverCommand } from "./driver-command.ts";

/** A driver that serves. */
export interface RunningDriver {
  readonly endpoint: string;
  /** Ends it by SIGTERM; throws an Error when it does not end well. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 40_000;

/**
 * Starts a driver and waits for its socket in `dir`, where its temporary files go, too. What it imports from this
 * workspace is the source, built or not.
 */
export async function startDriver({ name, argv, cwd }: DriverCommand, dir: string): Promise<RunningDriver> {
  const socket = join(dir, "csi.sock");
  const endpoint = `unix://${socket}`;
  const tmp = join(dir, "tmp");
  mkdirSync(tmp);
  const [program, ...args] = argv.map((each) => each.replaceAll("{endpoint}", endpoint));
  const nodeOptions = `${process.env["NODE_OPTIONS"] ?? ""} --conditions=@org/source`;
  const driver = spawn(program ?? "", args, {
    cwd,
    env: { ...process.env, CSI_ENDPOINT: endpoint, TMPDIR: tmp, NODE_OPTIONS: nodeOptions.trim() },
    stdio: ["ignore", "ignore", process.env["SANITY_LOG"] ? "inherit" : "ignore"],
  });
  let failure: Error | undefined;
  driver.once("error", (error) => (failure = error));
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!existsSync(socket)) {
    if (failure !== undefined || hasEnded(driver) || Date.now() > deadline) {
      driver.kill("SIGKILL");
      const cause = failure === undefined ? {} : { cause: failure };
      throw new Error(`${name} did not serve ${socket}: run it with SANITY_LOG=1 to see why`, cause);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { endpoint, stop: () => stop(driver) };
}

async function stop(driver: ChildProcess): Promise<void> {
  if (!hasEnded(driver)) {
    const exited = new Promise((resolve) => driver.once("exit", resolve));
    driver.kill("SIGTERM");
    const late = setTimeout(() => driver.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(late);
  }
  if (driver.exitCode !== 0)
    throw new Error(`the driver ended with ${driver.exitCode ?? driver.signalCode}, not with 0 on SIGTERM`);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
