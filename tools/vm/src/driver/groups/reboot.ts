import type { Check } from "../../guest/check.ts";
import { ensure, same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted, rawBlock } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { CHECKS, secondsSince, tell, untilLive } from "./observe.ts";

/** What is on the node when its power fails; `moved` goes to another node meanwhile. */
const KINDS = ["ext4", "raw", "moved"] as const;

/** A node that loses its power under I/O, and is started again. */
export async function rebootGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const [node, other] = [cluster.node(1), cluster.node(2)];
  const pods = await Promise.all(
    KINDS.map(async (kind) => {
      const capability = kind === "raw" ? rawBlock() : mounted("ext4");
      const volume = await kubernetes.create(`reboot-${kind}`, { sizeMib: 128, capability });
      const path = await kubernetes.start(volume, node);
      const file = kind === "raw" ? path : `${path}/records`;
      return { kind, volume, file, writer: new RecordWriter(node, file, kind) };
    }),
  );
  const staying = pods.filter(({ kind }) => kind !== "moved");
  const moved = pods.filter(({ kind }) => kind === "moved");
  await check("a node loses its power: another has its volume at once, with every record", async () => {
    await Promise.all(pods.map(({ writer }) => writer.more(30)));
    await node.cutPower();
    for (const { kind, volume, file, writer } of moved) {
      const start = performance.now();
      await kubernetes.detach(volume, node);
      await kubernetes.start(volume, other);
      tell(`in a pod on the other node after ${secondsSince(start)} s`);
      assertWhole(await readRecords(other, file, kind), writer.acknowledged);
    }
  });
  await check(
    "up again, kubelet publishes without staging: what stayed is staged again, with every record",
    async () => {
      await node.boot();
      for (const { kind, volume, file, writer } of staying) {
        const start = performance.now();
        const path = await kubernetes.publish(volume, node, "pod");
        tell(`${kind}: published again in ${secondsSince(start)} s`);
        ensure(path, file.startsWith(path));
        await untilLive(node, volume.nqn, 2);
        assertWhole(await readRecords(node, file, kind), writer.acknowledged);
      }
    },
  );
  await check("what moved is cleaned up on the node, which the other does not notice", async () => {
    for (const { kind, volume, file, writer } of moved) {
      const next = new RecordWriter(other, file, kind, writer.acknowledged);
      await next.more(10);
      await kubernetes.unpublish(volume, node, "pod");
      await kubernetes.unstage(volume, node);
      await next.more(10);
      await next.stop();
      assertWhole(await readRecords(other, file, kind), next.acknowledged);
      await kubernetes.end(volume, other);
      await kubernetes.delete(volume);
    }
  });
  await check("the pods write on, and everything ends as ever", async () => {
    for (const { kind, volume, file, writer } of staying) {
      const next = new RecordWriter(node, file, kind, writer.acknowledged);
      await next.more(10);
      await next.stop();
      assertWhole(await readRecords(node, file, kind), next.acknowledged);
      await kubernetes.end(volume, node);
      if (kind !== "raw") await sh(`${CHECKS.ext4} ${target.lvolFile(volume.uuid)}`);
      await kubernetes.delete(volume);
    }
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}
