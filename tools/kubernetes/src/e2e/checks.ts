import { keeperOf, startCluster, stopCluster } from "../cluster.ts";
import { stepPrinter } from "../report.ts";
import type { Check } from "./check.ts";
import { driver, leftovers } from "./driver.ts";
import { Kubectl } from "./kubectl.ts";
import { machineState } from "./machine-state.ts";

const LEFTOVERS_MS = 60_000;

/** What held and what did not, each told as soon as it is known. */
export class Checks {
  #passed = 0;
  #failed = 0;

  /** Tells whether something holds, and how long that took. */
  async check(name: string, work: () => Promise<void>): Promise<void> {
    const start = performance.now();
    const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1);
    try {
      await work();
      this.#passed += 1;
      process.stdout.write(`ok      ${name} (${seconds()} s)\n`);
    } catch (error) {
      this.#failed += 1;
      process.stdout.write(`FAILED  ${name} (${seconds()} s)\n  ${String(error).replaceAll("\n", "\n  ")}\n`);
    }
  }

  /** Runs a check in a namespace of its own. */
  async inNamespace(namespace: string, { name, run }: Check): Promise<void> {
    await driver.run(["create", "namespace", namespace]);
    await this.check(name, () => run(new Kubectl(namespace)));
    await driver.run(["delete", "namespace", namespace, "--timeout=120s"]).catch((error: unknown) => {
      process.stdout.write(`  ${String(error)}\n`);
    });
  }

  /** Prints the counts; the exit code. */
  sum(): number {
    process.stdout.write(`${this.#passed} passed, ${this.#failed} failed\n`);
    return this.#failed === 0 ? 0 : 1;
  }
}

/** How {@link inCluster} treats its cluster. */
export interface InClusterOptions {
  /** Whether it has the CRDs of snapshots and their controller from its start. */
  readonly snapshots: boolean;
  /** Whether it goes on running afterwards. */
  readonly keep?: boolean;
}

/** Checks in a cluster from its start to its end, at which nothing may be left; gives the exit code. */
export async function inCluster(
  { snapshots, keep = false }: InClusterOptions,
  work: (checks: Checks) => Promise<void>,
): Promise<number> {
  if (keeperOf() !== undefined) throw new Error("a cluster runs already: npm run cluster -- stop ends it");
  const checks = new Checks();
  const before = machineState();
  const end = (): void => void stopCluster().finally(() => process.exit(143));
  process.once("SIGTERM", end).once("SIGINT", end);
  try {
    await startCluster(stepPrinter(process.stdout), { snapshots });
    process.stdout.write("\n");
    await work(checks);
    await checks.check("nothing is left of the volumes", nothingIsLeft);
  } finally {
    if (!keep) await stopCluster();
  }
  if (!keep) {
    await checks.check("nothing is left of the cluster", async () => {
      const left = machineState().filter((line) => !before.includes(line));
      if (left.length > 0) throw new Error(left.join("\n"));
    });
  }
  return checks.sum();
}

async function nothingIsLeft(): Promise<void> {
  const deadline = Date.now() + LEFTOVERS_MS;
  let left = await leftovers();
  while (left.length > 0 && Date.now() < deadline) left = await leftovers();
  if (left.length > 0) throw new Error(left.join("\n"));
}
