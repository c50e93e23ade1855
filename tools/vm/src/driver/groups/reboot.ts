import type { Check } from "../../guest/check.ts";
import { ensure, same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted, rawBlock } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { CHECKS, secondsSince, tell, untilLive } from "./observe.ts";

/** A node that loses its power under I/O, and is started again. */
export async function rebootGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const node = cluster.node(1);
  const kinds = ["ext4", "raw"] as const;
  const pods = await Promise.all(
    kinds.map(async (kind) => {
      const capability = kind === "raw" ? rawBlock() : mounted(kind);
      const volume = await kubernetes.create(`reboot-${kind}`, { sizeMib: kind === "raw" ? 64 : 512, capability });
      const path = await kubernetes.start(volume, node);
      const file = kind === "raw" ? path : `${path}/records`;
      return { kind, volume, file, writer: new RecordWriter(node, file, kind) };
    }),
  );
  await check(
    "after a power cut kubelet publishes without staging: the volume is staged again, and has every record",
    async () => {
      await Promise.all(pods.map(({ writer }) => writer.more(30)));
      await node.cutPower();
      await node.boot();
      for (const { kind, volume, file, writer } of pods) {
        const start = performance.now();
        const path = await kubernetes.publish(volume, node, "pod");
        tell(`${kind}: published again in ${secondsSince(start)} s`);
        ensure(path, file.startsWith(path));
        await untilLive(node, volume.nqn, 2);
        assertWhole(await readRecords(node, file, kind), writer.acknowledged);
      }
    },
  );
  await check("the pods write on, and everything ends as ever", async () => {
    for (const { kind, volume, file, writer } of pods) {
      const next = new RecordWriter(node, file, kind, writer.acknowledged);
      await next.more(10);
      await next.stop();
      assertWhole(await readRecords(node, file, kind), next.acknowledged);
      await kubernetes.end(volume, node);
      if (kind !== "raw") await sh(`${CHECKS[kind]} ${target.lvolFile(volume.uuid)}`);
      await kubernetes.delete(volume);
    }
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}
