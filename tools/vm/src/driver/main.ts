// In namespaces of its own: node driver/main.ts DIR NODES GROUP ...
// Ends when its standard input does: whoever began it has gone.
import { rm } from "node:fs/promises";

import type { Check } from "../guest/check.ts";
import { checks } from "../guest/checks.ts";
import type { DriverGroup } from "../suites.ts";
import { Cluster } from "./cluster.ts";
import { blockGroup } from "./groups/blocks.ts";
import { controllerGroup } from "./groups/controller.ts";
import { expandGroup } from "./groups/expand.ts";
import { keyGroup } from "./groups/keys.ts";
import { lifeGroup } from "./groups/life.ts";
import { luksGroup } from "./groups/luks.ts";
import { moveGroup } from "./groups/move.ts";
import { pathGroup } from "./groups/paths.ts";
import { rebootGroup } from "./groups/reboot.ts";
import { restartGroup } from "./groups/restart.ts";
import { smokeGroup } from "./groups/smoke.ts";
import { snapshotGroup } from "./groups/snapshots.ts";
import { upstreamGroup } from "./groups/upstream.ts";

type Group = (cluster: Cluster, check: Check) => Promise<void>;

const RUNS: Readonly<Record<DriverGroup, Group>> = {
  life: lifeGroup,
  paths: pathGroup,
  move: moveGroup,
  restart: restartGroup,
  controller: controllerGroup,
  expand: expandGroup,
  snapshots: snapshotGroup,
  blocks: blockGroup,
  reboot: rebootGroup,
  keys: keyGroup,
  luks: luksGroup,
  upstream: upstreamGroup,
  smoke: smokeGroup,
};

/** As shells tell that SIGTERM ended something. */
const TERMINATED = 143;

const [dir = "", nodes = "", ...wanted] = process.argv.slice(2);
const start = performance.now();
const cluster = await Cluster.make(dir, Number(nodes));
let ending: Promise<void> | undefined;
process.stdin.resume().on("end", () => void end(TERMINATED));
process.stdout.on("error", () => undefined);
let status = 1;
try {
  await cluster.start();
  process.stdout.write(`      machines up after ${((performance.now() - start) / 1000).toFixed(1)} s: ${nodes}\n`);
  const runs = Object.entries(RUNS).map(([name, run]) => {
    const begin = async (check: Check): Promise<void> => {
      await cluster.acceptLeftovers();
      await run(cluster, check);
    };
    return [name, begin] as const;
  });
  status = await checks(Object.fromEntries(runs), wanted, () => cluster.logs());
} catch (error) {
  process.stdout.write(`FAILED cluster: ${error instanceof Error ? error.message : String(error)}\n`);
}
await end(status);

/** The first to call it says how it ends. */
function end(status: number): Promise<void> {
  ending ??= (async () => {
    await cluster.stop();
    // Whoever began it may be gone.
    await rm(dir, { recursive: true, force: true });
    process.exit(status);
  })();
  return ending;
}
