import type { Check } from "./check.ts";
import { sh } from "./shell.ts";

/**
 * Does the groups that are wanted, prints a line for each check and the counts at the end; the exit status. What `explain`
 * gives is printed behind a group that has failed.
 */
export async function checks(
  groups: Readonly<Record<string, (check: Check) => Promise<void>>>,
  wanted: readonly string[],
  explain: () => Promise<string> = kernelLog,
): Promise<number> {
  let passed = 0;
  let failed = 0;
  const fail = (name: string, error: unknown): void => {
    failed += 1;
    process.stdout.write(`FAILED ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  };
  for (const [group, run] of Object.entries(groups)) {
    if (!wanted.includes(group)) continue;
    const check: Check = async (name, work) => {
      const start = performance.now();
      try {
        await work();
        passed += 1;
        process.stdout.write(`ok    ${group}: ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)\n`);
      } catch (error) {
        fail(`${group}: ${name}`, error);
      }
    };
    const failedBefore = failed;
    try {
      await run(check);
    } catch (error) {
      fail(group, error);
    }
    if (failed > failedBefore) process.stdout.write(`${await explain()}\n`);
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function kernelLog(): Promise<string> {
  return sh("dmesg | grep -iE 'nvme|error|ext4|xfs' | tail -20 || true");
}
