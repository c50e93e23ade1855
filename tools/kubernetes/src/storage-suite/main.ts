// Kubernetes' own external storage suite on the driver, in the running cluster or in one that is started for it.
// Usage: node tools/kubernetes/src/storage-suite/main.ts [--node namespaces | virtual-machine] [--keep]
//          [--slow] [--focus REGULAR-EXPRESSION] [--processes N]
import { parseArgs } from "node:util";

import { keeperOf, loadTestImages } from "../cluster.ts";
import { expectNone } from "../e2e/check.ts";
import { deploy } from "../e2e/deploy.ts";
import { nothingIsLeft, volumeParts } from "../e2e/driver.ts";
import { saveLogs } from "../e2e/save-logs.ts";
import { assertTargetWell } from "../e2e/target.ts";
import { withCluster } from "../e2e/with-cluster.ts";
import { isNodeKind } from "../nodes.ts";
import { stepPrinter } from "../report.ts";
import { nodeKind } from "../running-cluster.ts";
import { formatResults } from "./format-results.ts";
import { buildSuite } from "./programs.ts";
import { listSpecs, runSpecs } from "./run-specs.ts";

const OPTIONS = {
  node: { type: "string" },
  keep: { type: "boolean", default: false },
  slow: { type: "boolean", default: false },
  focus: { type: "string" },
  processes: { type: "string", default: "6" },
} as const;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const isRunning = keeperOf() !== undefined;
  const { node = isRunning ? nodeKind() : "namespaces", focus, slow } = values;
  if (!isNodeKind(node)) throw new Error(`no node is a ${node}: namespaces or virtual-machine`);
  if (isRunning && node !== nodeKind()) throw new Error(`the running cluster's node is not a ${node}`);
  const report = stepPrinter(process.stdout);
  const programs = await buildSuite(report);
  const selection = { slow, ...(focus !== undefined && { focus }) };
  const { wanted, missing, images } = await listSpecs(programs, selection);
  const options = {
    processes: Number(values.processes),
    onProgress: (ended: number) => report(`running the specs: ${ended} of at most ${wanted} have ended`),
  };
  let isGood = false;
  const work = async (): Promise<void> => {
    await loadTestImages(programs.agnhost, images);
    await deploy("storage-suite");
    const before = await volumeParts();
    const { results, succeeded } = await runSpecs(programs, selection, options);
    process.stdout.write(`\n\n${formatResults(results, missing)}`);
    const ran = results.filter(({ outcome }) => outcome !== "skipped");
    isGood = succeeded && ran.length > 0 && ran.every(({ outcome }) => outcome === "passed");
    if (!isGood) await saveLogs();
    await nothingIsLeft(before);
    await assertTargetWell();
  };
  if (isRunning) await work();
  else expectNone(await withCluster({ node, keep: values.keep }, work));
  return isGood ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
