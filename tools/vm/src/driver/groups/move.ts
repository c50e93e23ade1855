import { setTimeout } from "node:timers/promises";

import type { Check } from "../../guest/check.ts";
import { ensure, same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted, rawBlock } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords, readRecordsHere } from "../record-writer.ts";
import type { RecordsFound } from "../records-found.ts";
import { CHECKS, endSessions, refusalOf, secondsSince, tell, untilLive } from "./observe.ts";

/** Longer than a host waits before it connects again. */
const RECONNECTS_MS = 5000;

/** A volume that goes from a node to another. */
export async function moveGroup(cluster: Cluster, check: Check): Promise<void> {
  await moveFilesystem(cluster, check);
  await moveDevice(cluster, check);
  await moveBack(cluster, check);
}

/** A filesystem, taken from a node that still writes to it. */
async function moveFilesystem(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes } = cluster;
  const [node1, node2] = [cluster.node(1), cluster.node(2)];
  const volume = await kubernetes.create("move", { sizeMib: 256, capability: mounted("ext4") });
  const path = await kubernetes.start(volume, node1);
  const writer = new RecordWriter(node1, `${path}/records`, "move");
  await check("while a node has a volume, no other node gets it", async () => {
    await writer.more(20);
    const refusal = await refusalOf(kubernetes.attach(volume, node2));
    kubernetes.forget(volume, node2);
    ensure(refusal, refusal.startsWith("FAILED_PRECONDITION") && refusal.includes(node1.nodeId));
    await writer.more(20);
  });
  let found: RecordsFound | undefined;
  let own: RecordWriter | undefined;
  await check("taken from a node that writes: it is cut off, and another finds all that was acknowledged", async () => {
    const start = performance.now();
    await kubernetes.detach(volume, node1);
    const there = await kubernetes.start(volume, node2);
    tell(`in a pod on the other node after ${secondsSince(start)} s`);
    found = await readRecords(node2, `${there}/records`, "move");
    assertWhole(found, writer.acknowledged);
    own = new RecordWriter(node2, `${there}/own`, "own");
    await own.more(20);
  });
  await check("the node that was cut off cannot come back, and nothing that it wrote arrives", async () => {
    await setTimeout(RECONNECTS_MS);
    await own?.more(20);
    await own?.stop();
    const states = (await node1.controllers(volume.nqn)).map(({ state }) => state);
    ensure(states.join(" "), !states.includes("live"));
    await kubernetes.end(volume, node2);
    await sh(`${CHECKS.ext4} ${cluster.target.lvolFile(volume.uuid)}`);
    const again = await kubernetes.start(volume, node2);
    same("records", (await readRecords(node2, `${again}/records`, "move")).records, found?.records);
    assertWhole(await readRecords(node2, `${again}/own`, "own"), own?.acknowledged ?? 0);
    await kubernetes.end(volume, node2);
  });
  await check("once its sessions are ended, the node is put in order, and gets what the other has left", async () => {
    await writer.kill();
    await endSessions(node1);
    await kubernetes.unpublish(volume, node1, "pod");
    await kubernetes.unstage(volume, node1);
    const back = await kubernetes.start(volume, node1, "back");
    same("records", (await readRecords(node1, `${back}/records`, "move")).records, found?.records);
    assertWhole(await readRecords(node1, `${back}/own`, "own"), own?.acknowledged ?? 0);
    await kubernetes.end(volume, node1, "back");
    await kubernetes.delete(volume);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}

/** A raw block device, whose bytes are looked at where they lie. */
async function moveDevice(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const [node1, node2] = [cluster.node(1), cluster.node(2)];
  const volume = await kubernetes.create("move-raw", { sizeMib: 64, capability: rawBlock() });
  const path = await kubernetes.start(volume, node1);
  const file = target.lvolFile(volume.uuid);
  const writer = new RecordWriter(node1, path, "move-raw");
  await check("on the target, not a byte changes once a node was cut off", async () => {
    await writer.more(50);
    await kubernetes.detach(volume, node1);
    assertWhole(await readRecordsHere(file, "move-raw"), writer.acknowledged);
    const sum = await sh(`sha256sum < ${file}`);
    await setTimeout(RECONNECTS_MS);
    same("content", await sh(`sha256sum < ${file}`), sum);
    await kubernetes.start(volume, node2);
    await setTimeout(RECONNECTS_MS);
    same("content while another node has it", await sh(`sha256sum < ${file}`), sum);
  });
  await kubernetes.end(volume, node2);
  await writer.kill();
  await endSessions(node1);
  await kubernetes.unpublish(volume, node1, "pod");
  await kubernetes.unstage(volume, node1);
  await kubernetes.delete(volume);
  same("left", (await cluster.leftovers()).join(", "), "");
}

/** A filesystem that comes back to a node whose kernel still holds what it could not write when it was taken from it. */
async function moveBack(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const [node1, node2] = [cluster.node(1), cluster.node(2)];
  const volume = await kubernetes.create("returning", { sizeMib: 128, capability: mounted("ext4") });
  const file = target.lvolFile(volume.uuid);
  let written = 0;

  /** Takes the volume from a pod that writes, lets another node write and leave, and gives it back. */
  async function awayAndBack(pod: string): Promise<RecordWriter> {
    const path = await kubernetes.start(volume, node1, pod);
    const writer = new RecordWriter(node1, `${path}/${pod}`, "held back");
    await writer.more(30);
    await kubernetes.detach(volume, node1);
    // Beside the record that waits: more than the kernel sends at once, some of it asked for again and again.
    await node1.sh(`setsid sh -c 'dd if=/dev/urandom of=${path}/held bs=64k count=128; sync' >/dev/null 2>&1 &`);
    const there = await kubernetes.start(volume, node2);
    const own = new RecordWriter(node2, `${there}/own`, "own", written);
    await own.more(30);
    await own.stop();
    written = own.acknowledged;
    await kubernetes.end(volume, node2);
    const sum = await sh(`sha256sum < ${file}`);
    const start = performance.now();
    await kubernetes.attach(volume, node1);
    await untilLive(node1, volume.nqn, 2);
    tell(`the old session is in again after ${secondsSince(start)} s`);
    await setTimeout(RECONNECTS_MS);
    same("content", await sh(`sha256sum < ${file}`), sum);
    return writer;
  }

  /** A pod on the node finds what the other one has left, and can write. */
  async function assertWell(pod: string): Promise<void> {
    const path = await kubernetes.publish(volume, node1, pod);
    assertWhole(await readRecords(node1, `${path}/own`, "own"), written);
    await node1.sh(`echo well > ${path}/well && sync -f ${path}/well`);
  }

  await check("back on a node that was cut off, nothing of what that held back arrives", async () => {
    const writer = await awayAndBack("first");
    await writer.kill();
  });
  await check("it is staged there anew beside the dead mount of the pod that had it, without a person", async () => {
    await kubernetes.stage(volume, node1);
    await assertWell("next");
    await kubernetes.unpublish(volume, node1, "first");
    await kubernetes.end(volume, node1, "next");
    await sh(`${CHECKS.ext4} ${file}`);
  });
  await check("or is unstaged before, as kubelet does when the pod has ended", async () => {
    const writer = await awayAndBack("second");
    await writer.kill();
    await kubernetes.unpublish(volume, node1, "second");
    await kubernetes.unstage(volume, node1);
    await kubernetes.stage(volume, node1);
    await assertWell("next");
    await kubernetes.end(volume, node1, "next");
    await sh(`${CHECKS.ext4} ${file}`);
    await kubernetes.delete(volume);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}
