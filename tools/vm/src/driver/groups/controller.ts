import { setTimeout } from "node:timers/promises";

import type { Check } from "../../guest/check.ts";
import { same } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted, type Volume } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { tell } from "./observe.ts";

/** After so many milliseconds of its work the controller is killed, round by round. */
const ROUNDS = [0, 5, 15, 40];
const VOLUMES = 4;

/** A controller that is killed in the middle of its work, and started anew. */
export async function controllerGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, controller, target } = cluster;
  const node = cluster.node(1);
  const claim = { sizeMib: 64, capability: mounted("ext4") };
  const running = await kubernetes.create("running", { ...claim, sizeMib: 256 });
  const path = await kubernetes.start(running, node);
  const writer = new RecordWriter(node, `${path}/records`, "controller");
  await writer.more(10);
  writer.takeSlowestMs();
  const lostConnections = (): Promise<string> => node.sh("dmesg | grep -ci reconnect || true");
  const lostBefore = await lostConnections();

  async function restart(): Promise<void> {
    await controller.kill();
    await controller.start();
  }

  for (const killAfterMs of ROUNDS) {
    await check(
      `killed ${killAfterMs} ms into its work: every call is repeated, and nothing is there twice`,
      async () => {
        const names = Array.from({ length: VOLUMES }, (_, index) => `killed-${killAfterMs}-${index}`);
        const make = (): Promise<Volume[]> => Promise.all(names.map((name) => kubernetes.create(name, claim)));
        await dyingWhile(make);
        const volumes = await make();
        const [first, second] = volumes;
        if (first === undefined || second === undefined) throw new Error("no volumes");
        await dyingWhile(() => Promise.all(volumes.map((volume) => kubernetes.attach(volume, node))));
        // All that the attacher wanted is published when it looks again.
        await kubernetes.reconcile();
        same("left to publish", await kubernetes.reconcile(), 0);
        const snap = () =>
          Promise.all([first, running].map((volume) => kubernetes.snapshot(volume, `${volume.name}-${killAfterMs}`)));
        await dyingWhile(snap);
        const snapshots = await snap();
        const restored = `restored-${killAfterMs}`;
        const restore = () =>
          kubernetes.create(restored, { ...claim, ...(snapshots[0] && { source: snapshots[0].source }) });
        await dyingWhile(restore);
        const all = [...volumes, await restore()];

        const lvols = await target.rpc.call("bdev_lvol_get_lvols", {});
        same("lvols", lvols.length, all.length + snapshots.length + 1);
        const { entries } = await kubernetes.controller.listVolumes({});
        same("volumes", entries.length, all.length + 1);
        same("snapshots", (await kubernetes.controller.listSnapshots({})).entries.length, snapshots.length);

        const detach = () => Promise.all(volumes.map((volume) => kubernetes.detach(volume, node)));
        await dyingWhile(detach);
        await detach();
        const remove = async (): Promise<void> => {
          await Promise.all(all.map((volume) => kubernetes.delete(volume)));
          await Promise.all(snapshots.map(({ id }) => kubernetes.controller.deleteSnapshot({ snapshotId: id })));
        };
        await dyingWhile(remove);
        await remove();
        same("left", (await target.leftovers()).join(", "), `lvol lvs0/pvc-${running.name}, subsystem ${running.nqn}`);
      },
    );

    async function dyingWhile(work: () => Promise<unknown>): Promise<void> {
      const working = work().catch(() => undefined);
      await setTimeout(killAfterMs);
      await restart();
      await working;
    }
  }
  await check("the pods of volumes that were published have not noticed", async () => {
    await writer.more(10);
    await writer.stop();
    tell(`slowest write meanwhile: ${writer.takeSlowestMs()} ms`);
    same("lost connections", await lostConnections(), lostBefore);
    assertWhole(await readRecords(node, `${path}/records`, "controller"), writer.acknowledged);
    await kubernetes.end(running, node);
    await kubernetes.delete(running);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}
