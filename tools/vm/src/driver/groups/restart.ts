import { setTimeout } from "node:timers/promises";

import { VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";

import type { Check } from "../../guest/check.ts";
import { same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted, rawBlock } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { exchange } from "./exchange.ts";
import { CHECKS, secondsSince, statusOf, tell, untilLive } from "./observe.ts";

const AWAY_MS = 3000;
/** So much I/O goes on before and after. */
const RECORDS = 30;
/** Of a device that both nodes have. */
const HALF_MIB = 4;

/** A target that is killed under I/O of two nodes, and comes back with nothing but its disks. */
export async function restartGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const pods = await Promise.all(
    ([1, 2] as const).map(async (number) => {
      const node = cluster.node(number);
      const fsType = number === 1 ? ("ext4" as const) : ("xfs" as const);
      const volume = await kubernetes.create(`restart-${fsType}`, { sizeMib: 512, capability: mounted(fsType) });
      const path = await kubernetes.start(volume, node);
      await node.sh("dd if=/dev/urandom of=/tmp/source bs=1M count=16 status=none");
      const writer = new RecordWriter(node, `${path}/records`, fsType);
      return { node, fsType, volume, path, writer, errorsBefore: await node.ioErrors() };
    }),
  );
  const nodes = [cluster.node(1), cluster.node(2)] as const;
  const capability = rawBlock(Mode.MULTI_NODE_MULTI_WRITER);
  const shared = await kubernetes.create("restart-shared", { sizeMib: 2 * HALF_MIB, capability });
  const [device] = [await kubernetes.start(shared, nodes[0]), await kubernetes.start(shared, nodes[1])];
  await check("the target is killed under I/O: volumes are listed, new ones are told to wait", async () => {
    await Promise.all(pods.map(({ writer }) => writer.more(RECORDS)));
    await kubernetes.controller.listVolumes({});
    for (const { writer } of pods) writer.takeSlowestMs();
    await target.kill();
    const { entries } = await kubernetes.controller.listVolumes({});
    same("listed", entries.length, pods.length + 1);
    const claim = { sizeMib: 64, capability: mounted("ext4") };
    same("a new volume", await statusOf(kubernetes.create("late", claim)), "UNAVAILABLE");
  });
  await check("it comes back: published again, sessions come back by themselves, and no pod has noticed", async () => {
    const bulks = pods.map(({ node, path }) => node.begin(`dd if=/tmp/source of=${path}/bulk bs=64k oflag=direct`));
    await setTimeout(AWAY_MS);
    await target.start();
    const start = performance.now();
    await kubernetes.reconcilingWhile(async () => {
      await Promise.all(pods.map(({ writer }) => writer.more(1)));
      tell(`I/O goes on ${secondsSince(start)} s after the target is back`);
      await Promise.all(pods.map(({ node, volume }) => untilLive(node, volume.nqn, 2)));
      await Promise.all(nodes.map((node) => untilLive(node, shared.nqn, 2)));
      tell(`all paths are back after ${secondsSince(start)} s`);
    });
    await Promise.all(pods.map(({ writer }) => writer.more(RECORDS)));
    await Promise.all(bulks.map(({ ended }) => ended));
    tell(`slowest writes: ${pods.map(({ writer }) => `${writer.takeSlowestMs()} ms`).join(", ")}`);
    same("published again", await kubernetes.reconcile(), 0);
    await exchange(nodes, device, HALF_MIB);
  });
  await check("all data are intact, and the filesystems clean", async () => {
    await Promise.all(
      pods.map(async ({ node, fsType, volume, writer, errorsBefore }) => {
        await writer.stop();
        await kubernetes.end(volume, node);
        await sh(`${CHECKS[fsType]} ${target.lvolFile(volume.uuid)}`);
        const path = await kubernetes.start(volume, node);
        assertWhole(await readRecords(node, `${path}/records`, fsType), writer.acknowledged);
        await node.sh(`cmp /tmp/source ${path}/bulk`);
        same("errors of I/O", await node.ioErrors(), errorsBefore);
        await kubernetes.end(volume, node);
        await kubernetes.delete(volume);
      }),
    );
    for (const node of nodes) await kubernetes.end(shared, node);
    await kubernetes.delete(shared);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}
