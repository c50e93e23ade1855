import { VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";

import type { Check } from "../../guest/check.ts";
import { same } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted, rawBlock } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { exchange } from "./exchange.ts";
import { readOnTwoNodes } from "./readers.ts";

const MIB = 1024 ** 2;
const RAW_MIB = 32;
/** Of each of two nodes on one device. */
const HALF_MIB = 16;

/** Raw block devices, and volumes that several nodes have. */
export async function blockGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes } = cluster;
  const [node1, node2] = [cluster.node(1), cluster.node(2)];
  await check("a raw block device: written, and read on another node", async () => {
    const volume = await kubernetes.create("raw", { sizeMib: RAW_MIB, capability: rawBlock() });
    const path = await kubernetes.start(volume, node1);
    same("kind", await node1.sh(`stat -c %F ${path}`), "block special file");
    same("size", await node1.sh(`blockdev --getsize64 ${path}`), String(RAW_MIB * MIB));
    const { usage } = await node1.csi.node.nodeGetVolumeStats({ volumeId: volume.id, volumePath: path });
    same("total", usage[0]?.total, BigInt(RAW_MIB * MIB));
    const writer = new RecordWriter(node1, path, "raw");
    await writer.more(50);
    await writer.stop();
    await kubernetes.end(volume, node1);
    assertWhole(await readRecords(node2, await kubernetes.start(volume, node2), "raw"), writer.acknowledged);
    await kubernetes.end(volume, node2);
    await kubernetes.delete(volume);
  });
  await check("a raw block device on two nodes at once: what one writes the other reads", async () => {
    const capability = rawBlock(Mode.MULTI_NODE_MULTI_WRITER);
    const volume = await kubernetes.create("shared", { sizeMib: 2 * HALF_MIB, capability });
    const path = await kubernetes.start(volume, node1);
    same("path", await kubernetes.start(volume, node2), path);
    await exchange([node1, node2], path, HALF_MIB);
    await kubernetes.end(volume, node1);
    const still = await node2.sh(`dd if=${path} bs=1M count=1 iflag=direct status=none | wc -c`);
    same("the other after the one has gone", still, String(MIB));
    await kubernetes.end(volume, node2);
    await kubernetes.delete(volume);
  });
  await check("a filesystem that two nodes read at once: nothing is written", async () => {
    const volume = await kubernetes.create("readers", { sizeMib: 384, capability: mounted("xfs") });
    const path = await kubernetes.start(volume, node1);
    const sum = await node1.sh(`dd if=/dev/urandom of=${path}/file bs=1M count=8 conv=fsync status=none
      sha256sum < ${path}/file`);
    await kubernetes.end(volume, node1);
    await readOnTwoNodes(cluster, volume, `echo '${sum}'`);
    await kubernetes.delete(volume);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}
