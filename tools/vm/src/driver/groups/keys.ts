import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { writeDhchapKey } from "../../dhchap-key.ts";
import type { Check } from "../../guest/check.ts";
import { ensure, same } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { EmulatedTarget } from "../emulated-target.ts";
import { mounted } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { refusalOf, secondsSince, tell, untilLive } from "./observe.ts";

const AWAY_MS = 1000;

/** A second target, to which nodes prove a key, and which proves one to them (DH-HMAC-CHAP). */
export async function keyGroup(cluster: Cluster, check: Check): Promise<void> {
  const { dir, kubernetes, controller } = cluster;
  const node = cluster.node(1);
  const keyDir = join(dir, "keys");
  await mkdir(keyDir);
  const host = await writeDhchapKey(keyDir, "host");
  const ctrlr = await writeDhchapKey(keyDir, "ctrlr");
  const target = await EmulatedTarget.make(2, dir);
  try {
    await controller.configure([cluster.target, target], { [target.name]: { keyDir, mutualAuthentication: true } });
    await controller.kill();
    await controller.start();
    const nodeSecrets = { dhchapKey: host.secret, dhchapCtrlrKey: ctrlr.secret };
    const claim = { sizeMib: 128, capability: mounted("ext4"), parameters: { target: target.name }, nodeSecrets };
    const volume = await kubernetes.create("keys", claim);
    const as = (secrets: Readonly<Record<string, string>>) => ({ ...volume, nodeSecrets: secrets });

    await check("a node without them, with wrong ones, and a target with a wrong one are refused", async () => {
      await kubernetes.attach(volume, node);
      const none = await refusalOf(kubernetes.stage(as({}), node));
      ensure(none, none.startsWith("FAILED_PRECONDITION") && none.includes("dhchapKey"));
      const wrong = await refusalOf(kubernetes.stage(as({ ...nodeSecrets, dhchapKey: ctrlr.secret }), node));
      ensure(wrong, wrong.startsWith("FAILED_PRECONDITION"));
      const other = await refusalOf(kubernetes.stage(as({ ...nodeSecrets, dhchapCtrlrKey: host.secret }), node));
      ensure(other, other.startsWith("FAILED_PRECONDITION"));
      same("sessions", (await node.controllers()).length, 0);
    });
    let acknowledged = 0;
    await check(
      "with the right ones a pod has its volume; a target that was restarted asks for them again",
      async () => {
        const path = await kubernetes.start(volume, node);
        await untilLive(node, volume.nqn, 2);
        const writer = new RecordWriter(node, `${path}/records`, "keys");
        await writer.more(20);
        await target.restart(AWAY_MS);
        const start = performance.now();
        await kubernetes.reconcilingWhile(async () => {
          await writer.more(1);
          tell(`I/O goes on ${secondsSince(start)} s after the target is back`);
          await untilLive(node, volume.nqn, 2);
        });
        await writer.more(20);
        await writer.stop();
        ({ acknowledged } = writer);
        await kubernetes.end(volume, node);
      },
    );
    await check("away and back, and nothing is left", async () => {
      const path = await kubernetes.start(volume, node);
      assertWhole(await readRecords(node, `${path}/records`, "keys"), acknowledged);
      await kubernetes.end(volume, node);
      await kubernetes.delete(volume);
      same("left", [...(await target.leftovers()), ...(await cluster.leftovers())].join(", "), "");
    });
  } finally {
    await controller.configure([cluster.target]);
    await controller.kill();
    await controller.start();
    await target.stop();
  }
}
