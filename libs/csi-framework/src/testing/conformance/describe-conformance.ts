import type { ConformanceCase } from "./conformance-case.ts";
import { conformanceCases } from "./conformance-cases.ts";
import type { ConformanceOptions } from "./options.ts";

/** What is used of a test runner: vitest, Jest, Mocha, Bun and node:test all have it. */
export interface TestRunner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: {
    (name: string, run: () => Promise<void>): unknown;
    readonly skip: (name: string, run: () => Promise<void>) => unknown;
  };
}

/**
 * Defines a plugin's conformance tests, in five lines of a test file:
 *
 * ```ts
 * import { describeConformance, inProcess } from "@org/csi-framework/testing";
 * import { describe, it } from "vitest";
 *
 * await describeConformance({ describe, it }, { connect: () => inProcess(new MyDriver()) });
 * ```
 */
export async function describeConformance(runner: TestRunner, options: ConformanceOptions): Promise<void> {
  defineConformance(runner, await conformanceCases(options));
}

/** Defines tests for cases that are at hand. Skipped ones show the reason in their name. */
export function defineConformance({ describe, it }: TestRunner, cases: readonly ConformanceCase[]): void {
  describe("CSI conformance", () => {
    for (const { name, run, skip } of cases) {
      if (skip === undefined) it(name, run);
      else it.skip(`${name} (${skip})`, run);
    }
  });
}
