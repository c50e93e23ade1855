// Kubernetes' own external storage suite on the driver, in the running cluster or in one that is started for it.
// Usage: node tools/kubernetes/src/storage-suite/main.ts [--keep] [--focus REGULAR-EXPRESSION] [--processes N]
import { parseArgs } from "node:util";

import { keeperOf, loadTestImages } from "../cluster.ts";
import { expectNone } from "../e2e/check.ts";
import { deployWithSnapshots } from "../e2e/deploy.ts";
import { nothingIsLeft } from "../e2e/driver.ts";
import { onCluster } from "../e2e/on-cluster.ts";
import { stepPrinter } from "../report.ts";
import { formatResults } from "./format-results.ts";
import { buildSuite } from "./programs.ts";
import { listSpecs, runSpecs, type SuiteOptions } from "./run-specs.ts";

const OPTIONS = {
  keep: { type: "boolean", default: false },
  focus: { type: "string" },
  processes: { type: "string", default: "6" },
} as const;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const options: SuiteOptions = {
    processes: Number(values.processes),
    ...(values.focus !== undefined && { focus: values.focus }),
  };
  const report = stepPrinter(process.stdout);
  const programs = await buildSuite(report);
  const { missing, images } = await listSpecs(programs, options.focus);
  let isGood = false;
  const work = async (): Promise<void> => {
    await loadTestImages(programs.agnhost, images);
    await deployWithSnapshots();
    const results = await runSpecs(programs, options, report);
    process.stdout.write(`\n\n${formatResults(results, missing)}`);
    const ran = results.filter(({ outcome }) => outcome !== "skipped");
    isGood = ran.length > 0 && ran.every(({ outcome }) => outcome === "passed");
    await nothingIsLeft();
  };
  if (keeperOf() === undefined) expectNone(await onCluster({ keep: values.keep }, work));
  else await work();
  return isGood ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
