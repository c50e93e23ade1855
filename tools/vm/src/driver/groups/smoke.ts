import type { Check } from "../../guest/check.ts";
import { ensure, same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { CHECKS, endSessions, refusalOf, secondsSince, tell, untilLive } from "./observe.ts";

const AWAY_MS = 1000;

/** The shortest of it: one volume that outlives a target, and goes to another node from under a writer. */
export async function smokeGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const [node1, node2] = [cluster.node(1), cluster.node(2)];
  const volume = await kubernetes.create("smoke", { sizeMib: 128, capability: mounted("ext4") });
  let writer: RecordWriter | undefined;
  await check("a volume is published, staged, in a pod, and written to; no other node gets it", async () => {
    const path = await kubernetes.start(volume, node1);
    await untilLive(node1, volume.nqn, 2);
    writer = new RecordWriter(node1, `${path}/records`, "smoke");
    await writer.more(20);
    const refusal = await refusalOf(kubernetes.attach(volume, node2));
    kubernetes.forget(volume, node2);
    ensure(refusal, refusal.startsWith("FAILED_PRECONDITION"));
  });
  const writing = writer;
  if (writing === undefined) return;
  await check("its target is killed and comes back: published again, and I/O goes on", async () => {
    await target.restart(AWAY_MS);
    const start = performance.now();
    await kubernetes.reconcilingWhile(() => writing.more(1));
    tell(`I/O goes on ${secondsSince(start)} s after the target is back`);
    await writing.more(20);
  });
  await check(
    "it is taken from the writer: another node has all that was acknowledged, and nothing arrives since",
    async () => {
      await kubernetes.detach(volume, node1);
      const path = await kubernetes.start(volume, node2);
      assertWhole(await readRecords(node2, `${path}/records`, "smoke"), writing.acknowledged);
      await kubernetes.end(volume, node2);
      await sh(`${CHECKS.ext4} ${target.lvolFile(volume.uuid)}`);
    },
  );
  await check("deleted, and nothing is left on the target and the nodes", async () => {
    await writing.kill();
    await endSessions(node1);
    await kubernetes.unpublish(volume, node1, "pod");
    await kubernetes.unstage(volume, node1);
    await kubernetes.delete(volume);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}
