import type { ClusterOptions } from "../cluster.ts";
import { type Check, expectNone } from "./check.ts";
import { driver, nothingIsLeft } from "./driver.ts";
import { Kubectl } from "./kubectl.ts";
import { saveLogs } from "./save-logs.ts";
import { assertTargetWell } from "./target.ts";
import { withCluster } from "./with-cluster.ts";

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

  /** Runs a check in a namespace of its own, which has to go with all that is in it. */
  async inNamespace(namespace: string, { name, run }: Check): Promise<void> {
    await this.check(name, async () => {
      await driver.run(["create", "namespace", namespace]);
      const end = (): Promise<string> => driver.run(["delete", "namespace", namespace, "--timeout=120s"]);
      try {
        await run(new Kubectl(namespace));
      } catch (error) {
        // What failed first tells more.
        await end().catch(() => undefined);
        throw error;
      }
      await end();
    });
  }

  /** Whether anything did not hold until now. */
  get hasFailed(): boolean {
    return this.#failed > 0;
  }

  /** Prints the counts; the exit code. */
  sum(): number {
    process.stdout.write(`${this.#passed} passed, ${this.#failed} failed\n`);
    return this.hasFailed ? 1 : 0;
  }
}

/** Checks in a cluster from its start to its end, at which nothing may be left; gives the exit code. */
export async function checkWithCluster(
  { keep = false, ...options }: ClusterOptions & { readonly keep?: boolean },
  work: (checks: Checks) => Promise<void>,
): Promise<number> {
  const checks = new Checks();
  const left = await withCluster({ keep, ...options }, async () => {
    await work(checks);
    await checks.check("nothing is left of the volumes", () => nothingIsLeft());
    await checks.check("the target was asked for nothing that a real one does not survive", assertTargetWell);
    if (checks.hasFailed) await saveLogs();
  });
  if (!keep) await checks.check("nothing is left of the cluster", async () => expectNone(left));
  return checks.sum();
}
