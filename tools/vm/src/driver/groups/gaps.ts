import { setTimeout } from "node:timers/promises";

import type { Check } from "../../guest/check.ts";
import { ensure, same } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { endSessions, refusalOf } from "./observe.ts";

/** Longer than a host waits before it connects again. */
const RECONNECTS_MS = 5000;

/** What does not hold yet: each of these checks fails. */
export async function gapGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes } = cluster;
  const [node1, node2] = [cluster.node(1), cluster.node(2)];
  const claim = { sizeMib: 128, capability: mounted("ext4") };
  await check("a stage that is refused for good leaves no session: kubelet does not unstage after it", async () => {
    const parameters = { encryption: "luks2" };
    const secrets = { encryptionPassphrase: "swordfish" };
    const volume = await kubernetes.create("refused", { ...claim, parameters, nodeSecrets: secrets });
    await kubernetes.start(volume, node1);
    await kubernetes.end(volume, node1);
    await kubernetes.attach(volume, node2);
    const wrong = { ...volume, nodeSecrets: { encryptionPassphrase: "herring" } };
    const refusal = await refusalOf(kubernetes.stage(wrong, node2));
    ensure(refusal, refusal.startsWith("FAILED_PRECONDITION"));
    const sessions = await node2.controllers(volume.nqn);
    await kubernetes.unstage(volume, node2);
    await kubernetes.detach(volume, node2);
    await kubernetes.delete(volume);
    same("sessions left", sessions.length, 0);
  });
  const volume = await kubernetes.create("returning", claim);
  const path = await kubernetes.start(volume, node1);
  const writer = new RecordWriter(node1, `${path}/records`, "held back");
  await writer.more(30);
  await kubernetes.detach(volume, node1);
  const there = await kubernetes.start(volume, node2);
  const own = new RecordWriter(node2, `${there}/own`, "own");
  await own.more(30);
  await own.stop();
  await kubernetes.end(volume, node2);
  await check("back on a node that was cut off, what that held back destroys nothing that another wrote", async () => {
    await kubernetes.attach(volume, node1);
    await setTimeout(RECONNECTS_MS);
    await writer.kill();
    await refusalOf(kubernetes.stage(volume, node1));
    const back = await kubernetes.publish(volume, node1, "back");
    const found = await readRecords(node1, `${back}/own`, "own");
    await kubernetes.unpublish(volume, node1, "back");
    assertWhole(found, own.acknowledged);
  });
  await endSessions(node1);
  await kubernetes.end(volume, node1);
  await kubernetes.delete(volume);
}
