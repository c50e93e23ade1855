import type { Check } from "../../guest/check.ts";
import { same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted, rawBlock } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { CHECKS, secondsSince, tell } from "./observe.ts";

const SIZES_MIB = {
  ext4: { before: 128, after: 256 },
  xfs: { before: 320, after: 512 },
  raw: { before: 32, after: 64 },
};
/** Written at the end, where nothing was before. */
const TAIL_MIB = 8;

/** Volumes that grow while they are in use. */
export async function expandGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const node = cluster.node(1);
  for (const kind of ["ext4", "xfs", "raw"] as const) {
    const { before, after } = SIZES_MIB[kind];
    const capability = kind === "raw" ? rawBlock() : mounted(kind);
    await check(`${kind}: grown from ${before} to ${after} MiB while it is written to`, async () => {
      const volume = await kubernetes.create(`expand-${kind}`, { sizeMib: before, capability });
      const path = await kubernetes.start(volume, node);
      const records = kind === "raw" ? path : `${path}/records`;
      const writer = new RecordWriter(node, records, kind);
      await writer.more(20);
      const start = performance.now();
      await kubernetes.expand(volume, node, path, after);
      tell(`grown in ${secondsSince(start)} s`);
      await writer.more(20);
      await writer.stop();
      assertWhole(await readRecords(node, records, kind), writer.acknowledged);
      // Into what was not there before.
      await node.sh(
        kind === "raw"
          ? `dd if=/dev/urandom of=${path} bs=1M seek=${after - TAIL_MIB} count=${TAIL_MIB} conv=fsync status=none`
          : `fallocate -l $(($(df --output=avail -B1 ${path} | tail -1) - ${TAIL_MIB} * 1048576)) ${path}/filling &&
            dd if=/dev/urandom of=${path}/tail bs=1M count=${TAIL_MIB / 2} conv=fsync status=none`,
      );
      await kubernetes.end(volume, node);
      if (kind !== "raw") await sh(`${CHECKS[kind]} ${target.lvolFile(volume.uuid)}`);
      await kubernetes.delete(volume);
    });
  }
  same("left", (await cluster.leftovers()).join(", "), "");
}
