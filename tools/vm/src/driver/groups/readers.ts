import { VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";

import { ensure, same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted, type Volume } from "../kubernetes.ts";
import type { NodeMachine } from "../node-machine.ts";

/**
 * Has two nodes read a volume at once: each finds its file, with the checksum that a command gives, neither can write, and
 * on the target not a byte changes. `look` looks at more.
 */
export async function readOnTwoNodes(
  cluster: Cluster,
  volume: Volume,
  checksum: string,
  look: (node: NodeMachine, path: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const { kubernetes, target } = cluster;
  const { accessType } = volume.capability;
  const fsType = accessType?.$case === "mount" ? (accessType.value?.fsType ?? "") : "";
  const shared = { ...volume, capability: mounted(fsType, Mode.MULTI_NODE_READER_ONLY) };
  const lvol = target.lvolFile(volume.uuid);
  const before = await sh(`sha256sum < ${lvol}`);
  const nodes = [cluster.node(1), cluster.node(2)];
  for (const node of nodes) {
    const path = await kubernetes.start(shared, node);
    same(`on ${node.name}`, await node.sh(`sha256sum < ${path}/file`), await sh(checksum));
    await look(node, path);
    const written = await node.sh(`touch ${path}/own 2>&1 || true`);
    ensure(`written: ${written}`, written.includes("Read-only"));
    const source = await node.sh(`findmnt -n -o SOURCE ${path}`);
    same(`${source} is read-only on ${node.name}`, await node.sh(`blockdev --getro ${source}`), "1");
  }
  for (const node of nodes) await kubernetes.end(shared, node);
  same("content", await sh(`sha256sum < ${lvol}`), before);
}
