// A real Kubernetes on this machine, with the driver's image in it.
// Usage: node tools/kubernetes/src/main.ts [start] | stop | load | run COMMAND ... | build; see USAGE
import { relative } from "node:path";
import { parseArgs } from "node:util";

import { buildBinaries } from "./binaries.ts";
import { keeperOf, loadDriver, startCluster, stopCluster } from "./cluster.ts";
import { manifestsFor } from "./manifests.ts";
import { isNodeKind, NODE_NAME, type NodeKind } from "./nodes.ts";
import { BINARIES, KUBECONFIG, STATE, TOOL } from "./places.ts";
import { stepPrinter } from "./report.ts";
import { serveOnNode } from "./running-cluster.ts";

const USAGE = `Usage: npm run cluster [-- COMMAND]

  start [--node KIND] [--without-snapshots]
                                build what is missing, start the cluster (this is the default); its node is made of
                                namespaces, or with KIND virtual-machine a machine whose kernel has NVMe/TCP
  load [--tag TAG]              bring the driver's image into it again, from the sources as they are now
  run COMMAND [ARG ...]         run a command on its node
  stop                          end it; nothing is left
  build                         build what is missing, and no more
`;

/** What to type once the cluster runs. */
function nextSteps(node: NodeKind): string {
  const manifests = relative(process.cwd(), manifestsFor(node, "with-snapshots"));
  const example = relative(process.cwd(), `${TOOL}/manifests/example.yaml`);
  return `
Node ${NODE_NAME} is ready. In this shell and others:

  export KUBECONFIG=${KUBECONFIG}
  export PATH=${BINARIES}:$PATH

Then, for the driver on an emulated target, and a pod with a volume:

  kubectl apply -k ${manifests}
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
      const { values } = parseArgs({
        args,
        options: {
          node: { type: "string", default: "namespaces" },
          "without-snapshots": { type: "boolean", default: false },
        },
      });
      const { node } = values;
      if (!isNodeKind(node)) throw new Error(`no node is a ${node}: namespaces or virtual-machine`);
      await startCluster(report, { node, snapshots: !values["without-snapshots"] });
      process.stdout.write(`\n${nextSteps(node)}`);
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
      return serveOnNode(args);
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
