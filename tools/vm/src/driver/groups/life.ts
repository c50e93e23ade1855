import type { Check } from "../../guest/check.ts";
import { ensure, same } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted, type Volume } from "../kubernetes.ts";

const MIB = 1024 ** 2;

/** A volume from its making to its end. */
export async function lifeGroup(cluster: Cluster, check: Check): Promise<void> {
  for (const fsType of ["ext4", "xfs"] as const) await life(cluster, check, fsType);
}

/** The life of one volume, on two nodes. */
async function life(cluster: Cluster, check: Check, fsType: "ext4" | "xfs"): Promise<void> {
  const { kubernetes } = cluster;
  const [node1, node2] = [cluster.node(1), cluster.node(2)];
  let volume: Volume | undefined;
  let sum = "";
  await check(`${fsType}: made, published, staged, in a pod, written to`, async () => {
    volume = await kubernetes.create(`life-${fsType}`, { sizeMib: 512, capability: mounted(fsType) });
    const path = await kubernetes.start(volume, node1);
    same("filesystem", await node1.sh(`findmnt -n -o FSTYPE ${path}`), fsType);
    sum = await node1.sh(`dd if=/dev/urandom of=${path}/file bs=1M count=16 conv=fsync status=none
      sha256sum < ${path}/file`);
    const { usage } = await node1.csi.node.nodeGetVolumeStats({ volumeId: volume.id, volumePath: path });
    const [bytes, inodes] = usage;
    ensure(`${bytes?.used} bytes used`, Number(bytes?.used) >= 16 * MIB && Number(bytes?.total) > 400 * MIB);
    ensure(`${inodes?.used} inodes used`, Number(inodes?.used) > 0);
  });
  if (volume === undefined) return;
  const made = volume;
  await check(`${fsType}: read again after it was away from the pod, from the node, and on another node`, async () => {
    await kubernetes.unpublish(made, node1, "pod");
    const again = await kubernetes.publish(made, node1, "again");
    same("in another pod", await node1.sh(`sha256sum < ${again}/file`), sum);
    await kubernetes.end(made, node1, "again");
    same("sessions left", (await node1.controllers()).length, 0);
    const path = await kubernetes.start(made, node2);
    same("on another node", await node2.sh(`sha256sum < ${path}/file`), sum);
    await kubernetes.end(made, node2);
  });
  await check(`${fsType}: deleted, and nothing is left on the target and the nodes`, async () => {
    await kubernetes.delete(made);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}
