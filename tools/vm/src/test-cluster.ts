import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import type { Cluster } from "./suites.ts";
import type { Outcome } from "./test-machine.ts";
import { prepareVirtualMachines } from "./virtual-machine.ts";

const MAIN = join(import.meta.dirname, "driver/main.ts");
/** What is begun in namespaces of their own ends with the first process there. */
const NAMESPACES = ["--net", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child"];
const TIMEOUT_MS = 900_000;
const GRACE_MS = 20_000;
/** As shells tell that SIGTERM ended something. */
const TERMINATED = 143;

/** Does the groups of a cluster. Its networks and processes are in namespaces of their own, and go with them. */
export async function testInCluster({ nodes, groups }: Cluster): Promise<Outcome> {
  prepareVirtualMachines();
  const dir = await mkdtemp(join(tmpdir(), "vm-cluster-"));
  const args = [process.execPath, "--conditions=@org/source", MAIN, dir, String(nodes), ...groups];
  // In a session of its own: it is not the terminal that ends it, but the end of its input.
  const cluster = spawn("unshare", [...NAMESPACES, ...args], { stdio: ["pipe", "pipe", "inherit"], detached: true });
  let output = "";
  let held = "";
  cluster.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    held += text;
    // What is told of a check stands before its own line; another cluster may speak at the same time.
    const whole = /^(?:.*\n)*(?:ok|FAILED|\d+ passed).*\n/.exec(held)?.[0] ?? "";
    process.stdout.write(whole);
    held = held.slice(whole.length);
  });
  const closed = once(cluster, "close");
  const end = (): void => {
    cluster.stdin.end();
    void setTimeout(GRACE_MS, undefined, { ref: false }).then(() => cluster.kill("SIGKILL"));
  };
  const late = globalThis.setTimeout(end, TIMEOUT_MS);
  process.once("SIGTERM", end).once("SIGINT", end);
  try {
    await closed;
    process.stdout.write(held);
    const status = cluster.exitCode ?? TERMINATED;
    const [passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/m.exec(output)?.slice(1).map(Number) ?? [];
    // A cluster that ended without a word has failed, too.
    return { status, passed, failed: status !== 0 && failed === 0 ? 1 : failed };
  } finally {
    clearTimeout(late);
    process.off("SIGTERM", end).off("SIGINT", end);
    await rm(dir, { recursive: true, force: true });
  }
}
