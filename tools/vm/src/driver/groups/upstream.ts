import type { Check } from "../../guest/check.ts";
import { same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { listenAddress } from "../emulated-target.ts";
import { mounted, nqnOf, type Volume } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { CHECKS, untilLive } from "./observe.ts";

const AWAY_MS = 1000;

/** A volume that SPDK's driver in Go made and exported: open to any host, and a static PersistentVolume names it. */
export async function upstreamGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const [node1, node2] = [cluster.node(1), cluster.node(2)];
  const volume = await exportAsUpstream(cluster, 128);
  const { id, nqn } = volume;
  let acknowledged = 0;
  await check("staged and published by its volume_context alone, and written to", async () => {
    await kubernetes.stage(volume, node1);
    const path = await kubernetes.publish(volume, node1, "pod");
    await untilLive(node1, nqn, 1);
    const writer = new RecordWriter(node1, `${path}/records`, "upstream");
    await writer.more(20);
    await kubernetes.expand(volume, node1, path, 256);
    await writer.more(20);
    await writer.stop();
    ({ acknowledged } = writer);
    await kubernetes.unpublish(volume, node1, "pod");
    await kubernetes.unstage(volume, node1);
    await sh(`${CHECKS.ext4} ${target.lvolFile(volume.uuid)}`);
  });
  await check("later published by the controller, on both portals, and listed under its own id", async () => {
    const path = await kubernetes.start(volume, node2);
    await untilLive(node2, nqn, 2);
    assertWhole(await readRecords(node2, `${path}/records`, "upstream"), acknowledged);
    same("left to publish", await kubernetes.reconcile(), 0);
    const { entries } = await kubernetes.controller.listVolumes({});
    const [entry] = entries.filter(({ volume }) => volume?.volumeId === id);
    same("published", entry?.status?.publishedNodeIds.join(" "), node2.nodeId);
    await target.restart(AWAY_MS);
    const writer = new RecordWriter(node2, `${path}/more`, "upstream");
    await kubernetes.reconcilingWhile(() => writer.more(10));
    await writer.stop();
    await kubernetes.end(volume, node2);
    await sh(`${CHECKS.ext4} ${target.lvolFile(volume.uuid)}`);
  });
  await check("deleted, and nothing is left", async () => {
    await kubernetes.delete(volume);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}

/** What upstream's CreateVolume and ControllerPublishVolume leave on a target. */
async function exportAsUpstream({ target }: Cluster, sizeMib: number): Promise<Volume> {
  const name = "pvc-3f0c9d0e-upstream";
  const { rpc } = target;
  const [portal] = target.portals;
  const uuid = await rpc.call("bdev_lvol_create", {
    lvs_name: "lvs0",
    lvol_name: name,
    size_in_mib: sizeMib,
    thin_provision: true,
  });
  const nqn = nqnOf(uuid);
  const transports = await rpc.call("nvmf_get_transports", {});
  if (transports.length === 0) await rpc.call("nvmf_create_transport", { trtype: "TCP" });
  await rpc.call("nvmf_create_subsystem", {
    nqn,
    allow_any_host: true,
    serial_number: "spdkcsi-sn",
    model_number: uuid,
  });
  await rpc.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: uuid } });
  await rpc.call("nvmf_subsystem_add_listener", { nqn, listen_address: listenAddress(portal) });
  const context = { nqn, model: uuid, targetAddr: portal.address, targetPort: String(portal.port), targetType: "TCP" };
  return { id: uuid, name: "upstream", uuid, nqn, capability: mounted("ext4"), context, nodeSecrets: {} };
}
