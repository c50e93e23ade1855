// A real Kubernetes of one node on this machine, with the driver's image in it.
// Usage: node tools/kubernetes/src/main.ts [start] | stop | load | run COMMAND ... | build
import { relative } from "node:path";
import { parseArgs } from "node:util";

import { buildBinaries } from "./binaries.ts";
import { keeperOf, loadDriver, startCluster, stopCluster } from "./cluster.ts";
import { BINARIES, KUBECONFIG, NODE_NAME, STATE, TOOL } from "./places.ts";
import { stepPrinter } from "./report.ts";
import { runInside } from "./running-cluster.ts";

const USAGE = `Usage: npm run cluster [-- COMMAND]

  start [--without-snapshots]   build what is missing, start the cluster (this is the default)
  load [--tag TAG]              bring the driver's images into it again, from the sources as they are now
  run COMMAND [ARG ...]         run a command on its node
  stop                          end it; nothing is left
  build                         build what is missing, and no more
`;

/** What to type once the cluster runs. */
function nextSteps(): string {
  const emulated = relative(process.cwd(), `${TOOL}/manifests/with-snapshots`);
  const example = relative(process.cwd(), `${TOOL}/manifests/example.yaml`);
  return `
Node ${NODE_NAME} is ready. In this shell and others:

  export KUBECONFIG=${KUBECONFIG}
  export PATH=${BINARIES}:$PATH

Then, for the driver on an emulated target, and a pod with a volume:

  kubectl apply -k ${emulated}
  kubectl apply -f ${example}
  kubectl get pods --all-namespaces --watch

Logs of Kubernetes' programs are in ${STATE}/log.
npm run cluster -- load    brings the driver in again after a change
npm run cluster -- stop    ends all of it
`;
}

async function main([command = "start", ...args]: readonly string[]): Promise<number> {
  const report = stepPrinter(process.stdout);
  switch (command) {
    case "start": {
      const { values } = parseArgs({ args, options: { "without-snapshots": { type: "boolean", default: false } } });
      await startCluster(report, { snapshots: !values["without-snapshots"] });
      process.stdout.write(`\n${nextSteps()}`);
      return 0;
    }
    case "stop":
      await stopCluster();
      return 0;
    case "load": {
      requireCluster();
      const { values } = parseArgs({ args, options: { tag: { type: "string" } } });
      await loadDriver(values.tag);
      return 0;
    }
    case "run":
      requireCluster();
      return runInside(args, "inherit").status ?? 1;
    case "build":
      await buildBinaries(report);
      process.stdout.write("\n");
      return 0;
    default:
      process.stderr.write(USAGE);
      return command === "help" || command === "--help" ? 0 : 2;
  }
}

function requireCluster(): void {
  if (keeperOf() === undefined) throw new Error("no cluster runs: npm run cluster starts one");
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
