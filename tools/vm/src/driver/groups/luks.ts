import type { Check } from "../../guest/check.ts";
import { ensure, same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { mounted } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { refusalOf, secondsSince, tell } from "./observe.ts";
import { readOnTwoNodes } from "./readers.ts";

const PLAIN = "nothing of this is to be read on the target";

/** A volume that its nodes encrypt. */
export async function luksGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const [node1, node2] = [cluster.node(1), cluster.node(2)];
  const volume = await kubernetes.create("luks", {
    sizeMib: 128,
    capability: mounted("ext4"),
    parameters: { encryption: "luks2" },
    nodeSecrets: { encryptionPassphrase: "swordfish, with spaces" },
  });
  let acknowledged = 0;
  await check("made, written, grown while mounted; the target sees no plain text", async () => {
    const start = performance.now();
    const path = await kubernetes.start(volume, node1);
    tell(`made and mounted in ${secondsSince(start)} s`);
    await node1.sh(`echo ${PLAIN} > ${path}/file && sync`);
    const writer = new RecordWriter(node1, `${path}/records`, "luks");
    await writer.more(20);
    await kubernetes.expand(volume, node1, path, 256);
    await writer.more(20);
    await writer.stop();
    ({ acknowledged } = writer);
    await kubernetes.end(volume, node1);
    same("plain text", await sh(`grep -c '${PLAIN}' ${target.lvolFile(volume.uuid)} || true`), "0");
  });
  await check("refused without its passphrase, and with another one, and no session is left", async () => {
    await kubernetes.attach(volume, node2);
    const none = await refusalOf(kubernetes.stage({ ...volume, nodeSecrets: {} }, node2));
    ensure(none, none.startsWith("FAILED_PRECONDITION") && none.includes("encryptionPassphrase"));
    const herring = { encryptionPassphrase: "herring" };
    const wrong = await refusalOf(kubernetes.stage({ ...volume, nodeSecrets: herring }, node2));
    ensure(wrong, wrong.startsWith("FAILED_PRECONDITION"));
    // Kubelet does not unstage after it.
    same("sessions", (await node2.controllers(volume.nqn)).length, 0);
    await kubernetes.detach(volume, node2);
  });
  await check("two nodes read it at once, and nothing is written", async () => {
    await readOnTwoNodes(cluster, volume, `echo ${PLAIN} | sha256sum`, async (node, path) => {
      assertWhole(await readRecords(node, `${path}/records`, "luks"), acknowledged);
    });
    await kubernetes.delete(volume);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}
