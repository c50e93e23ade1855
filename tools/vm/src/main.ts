// What a real Linux host does with the emulator, and what the node's library and the driver do on real Linux hosts.
// Usage: node tools/vm/src/main.ts emulator [GROUP ...] | mounter [GROUP ...] | driver [GROUP ...] | smoke | run COMMAND
import { CLUSTERS, MACHINES_AT_A_TIME, SUITES, type Suite } from "./suites.ts";
import { testInCluster } from "./test-cluster.ts";
import { testInMachine } from "./test-machine.ts";
import { runInVirtualMachine } from "./virtual-machine.ts";

const TIMEOUT_SECONDS = 300;
/** As shells tell that SIGTERM ended something. */
const TERMINATED = 143;

async function main([what = "", ...args]: readonly string[]): Promise<number> {
  if (process.getuid?.() !== 0) {
    process.stderr.write("a virtual machine on this machine's own files needs root: nothing was tried\n");
    return 2;
  }
  if (what === "run") return runInVirtualMachine(args.join(" "), { timeoutSeconds: TIMEOUT_SECONDS });
  const suite = SUITES.get(what);
  if (suite !== undefined) return testSuite(suite, args);
  if (what === "driver") return testDriver(args);
  process.stderr.write(
    "usage: node tools/vm/src/main.ts emulator | mounter | driver [GROUP ...], or smoke, or run COMMAND\n",
  );
  return 2;
}

/** Whether all groups are there; says so otherwise. */
function areKnown(wanted: readonly string[], having: readonly { readonly groups: readonly string[] }[]): boolean {
  const known = having.flatMap(({ groups }) => groups);
  const unknown = wanted.filter((group) => !known.includes(group));
  if (unknown.length > 0) process.stderr.write(`no group ${unknown.join(", ")}: there are ${known.join(", ")}\n`);
  return unknown.length === 0;
}

async function testSuite({ guest, machines, concurrency }: Suite, wanted: readonly string[]): Promise<number> {
  if (!areKnown(wanted, machines)) return 2;
  const waiting = machines
    .map((machine) => ({
      ...machine,
      groups: machine.groups.filter((name) => wanted.length === 0 || wanted.includes(name)),
    }))
    .filter(({ groups }) => groups.length > 0);
  const count = waiting.length;
  const total = { status: 0, passed: 0, failed: 0 };
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && total.status !== TERMINATED; next = waiting.shift()) {
      const { status, passed, failed } = await testInMachine(guest, next);
      if (status !== 0) process.stdout.write(`FAILED machine of ${next.groups.join(", ")}: exit status ${status}\n`);
      total.status = Math.max(total.status, status);
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  process.stdout.write(`${count} machines: ${total.passed} passed, ${total.failed} failed\n`);
  return total.status;
}

/** As many clusters at a time as there may be machines. */
async function testDriver(wanted: readonly string[]): Promise<number> {
  if (!areKnown(wanted, CLUSTERS)) return 2;
  const clusters = CLUSTERS.map(({ nodes, groups, onlyWhenNamed = false }) => ({
    nodes,
    groups: groups.filter((name) => (wanted.length === 0 ? !onlyWhenNamed : wanted.includes(name))),
  })).filter(({ groups }) => groups.length > 0);
  const total = { status: 0, passed: 0, failed: 0 };
  const running = new Set<{ readonly nodes: number; readonly ended: Promise<void> }>();
  const count = (of: Iterable<{ readonly nodes: number }>): number =>
    [...of].reduce((sum, { nodes }) => sum + nodes, 0);
  for (const { nodes, groups } of clusters) {
    while (count(running) + nodes > MACHINES_AT_A_TIME) await Promise.race([...running].map(({ ended }) => ended));
    if (total.status === TERMINATED) break;
    const ended = testInCluster({ nodes, groups }).then(({ status, passed, failed }) => {
      if (status !== 0) process.stdout.write(`FAILED cluster of ${groups.join(", ")}: exit status ${status}\n`);
      total.status = Math.max(total.status, status);
      total.passed += passed;
      total.failed += failed;
      running.delete(one);
    });
    const one = { nodes, ended };
    running.add(one);
  }
  await Promise.all([...running].map(({ ended }) => ended));
  process.stdout.write(`${count(clusters)} machines: ${total.passed} passed, ${total.failed} failed\n`);
  return total.status;
}

process.exitCode = await main(process.argv.slice(2));
