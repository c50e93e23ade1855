import { type ClusterOptions, keeperOf, startCluster, stopCluster } from "../cluster.ts";
import type { NodeKind } from "../nodes.ts";
import { stepPrinter } from "../report.ts";
import { machineState } from "./machine-state.ts";

const DESCRIPTIONS: Readonly<Record<NodeKind, string>> = {
  namespaces: "this machine's kernel, with loop devices in the place of NVMe/TCP",
  "virtual-machine": "a virtual machine, with NVMe/TCP",
};

/** On what cluster something runs. */
export interface RunOptions extends ClusterOptions {
  /** Whether the cluster is left running. */
  readonly keep: boolean;
}

/** Does something on a cluster that is started for it and stopped afterwards; gives what is left of it on this machine. */
export async function withCluster({ keep, ...options }: RunOptions, work: () => Promise<void>): Promise<string[]> {
  if (keeperOf() !== undefined) throw new Error("a cluster runs already: npm run cluster -- stop ends it");
  const before = machineState();
  let isEnding = false;
  // Ctrl-C comes twice under npm.
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    void (keep ? Promise.resolve() : stopCluster()).finally(() => process.exit(143));
  };
  process.on("SIGTERM", end).on("SIGINT", end);
  try {
    await startCluster(stepPrinter(process.stdout), options);
    process.stdout.write(`\nnode: ${DESCRIPTIONS[options.node ?? "namespaces"]}\n`);
    await work();
  } finally {
    if (!keep) await stopCluster();
    process.off("SIGTERM", end).off("SIGINT", end);
  }
  return keep ? [] : machineState().filter((line) => !before.includes(line));
}
