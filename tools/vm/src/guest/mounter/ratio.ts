import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

import { stageVolume, unstageVolume } from "@org/node-mounter";

import type { Check } from "../check.ts";
import { ADDRESS, HOST_ID, HOST_NQN } from "../host.ts";
import { ensure } from "../shell.ts";
import type { Target, Volume } from "../target.ts";
import { openNode, requestFor } from "./emulator-volumes.ts";

const run = promisify(execFile);
const ROUNDS = 9;
/** What staging may cost beside the two commands that it cannot do without. */
const GOAL = 1.2;

/** What it costs to stage a volume that has its filesystem, beside connecting and mounting by hand. */
export async function ratioGroup(target: Target, check: Check): Promise<void> {
  const node = await openNode("ratio");
  for (const fsType of ["ext4", "xfs"] as const) {
    const volume = await target.createVolume(`ratio-${fsType}`, 512);
    const request = requestFor(volume, fsType);
    await stageVolume(node, request);
    await unstageVolume(node, request);
    await check(
      `${fsType}: a ready volume is staged in at most ${GOAL} times the time of connect and mount`,
      async () => {
        const times = { staged: [] as number[], elsewhere: [] as number[], bare: [] as number[] };
        for (let round = 0; round < ROUNDS; round++) {
          times.staged.push(await timed(() => stageVolume(node, request)));
          await unstageVolume(node, request);
          times.bare.push(await timed(() => connectAndMount(volume, fsType)));
          await run("umount", ["/mnt/bare"]);
          await run("nvme", ["disconnect", "-n", volume.nqn]);
          // A node that sees the volume for the first time looks twice.
          const other = await openNode(`ratio-${fsType}-${round}`);
          times.elsewhere.push(await timed(() => stageVolume(other, request)));
          await unstageVolume(other, request);
        }
        const bare = median(times.bare);
        const [ratio, first] = [median(times.staged) / bare, median(times.elsewhere) / bare];
        const figures = `staged ${median(times.staged).toFixed(0)} ms, bare ${bare.toFixed(0)} ms: ratio ${ratio.toFixed(2)}`;
        process.stdout.write(`      ${fsType}: ${figures}; on a node that has not had it before ${first.toFixed(2)}\n`);
        ensure(`a ratio of ${GOAL}`, ratio <= GOAL);
      },
    );
    await target.remove(volume);
  }
}

/** As an operator does it, with the device found as soon as it is there. */
async function connectAndMount({ nqn, uuid, ports }: Volume, fsType: string): Promise<void> {
  const address = ["-t", "tcp", "-a", ADDRESS, "-s", String(ports[0])];
  await run("nvme", ["connect", ...address, "-n", nqn, "-q", HOST_NQN, "-I", HOST_ID]);
  const device = `/dev/disk/by-id/nvme-uuid.${uuid}`;
  while (!existsSync(device)) await setTimeout(2);
  mkdirSync("/mnt/bare", { recursive: true });
  await run("mount", ["-t", fsType, device, "/mnt/bare"]);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}
