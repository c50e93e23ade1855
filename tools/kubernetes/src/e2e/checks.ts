import { keeperOf, startCluster, stopCluster } from "../cluster.ts";
import type { NodeKind } from "../node-kind.ts";
import { stepPrinter } from "../report.ts";
import { type Check, expectSame } from "./check.ts";
import { driver, leftovers } from "./driver.ts";
import { Kubectl } from "./kubectl.ts";
import { machineState } from "./machine-state.ts";
import { hazardsOfTarget } from "./target.ts";

const LEFTOVERS_MS = 60_000;

const DESCRIPTIONS: Readonly<Record<NodeKind, string>> = {
  namespaces: "this machine's kernel, with loop devices in the place of NVMe/TCP",
  "virtual-machine": "a virtual machine, with NVMe/TCP",
};

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
  readonly node?: NodeKind;
  /** Whether it has the CRDs of snapshots and their controller from its start. */
  readonly snapshots: boolean;
  /** Whether it goes on running afterwards. */
  readonly keep?: boolean;
}

/** Checks in a cluster from its start to its end, at which nothing may be left; gives the exit code. */
export async function inCluster(
  { node = "namespaces", snapshots, keep = false }: InClusterOptions,
  work: (checks: Checks) => Promise<void>,
): Promise<number> {
  if (keeperOf() !== undefined) throw new Error("a cluster runs already: npm run cluster -- stop ends it");
  const checks = new Checks();
  const before = machineState();
  const end = (): void => void stopCluster().finally(() => process.exit(143));
  process.once("SIGTERM", end).once("SIGINT", end);
  try {
    await startCluster(stepPrinter(process.stdout), { node, snapshots });
    process.stdout.write(`\nnode: ${DESCRIPTIONS[node]}\n`);
    await work(checks);
    await checks.check("nothing is left of the volumes", nothingIsLeft);
    await checks.check("the target was asked for nothing that a real one does not survive", async () => {
      expectSame("asked", await hazardsOfTarget(), {});
    });
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
