import type { Check } from "../../guest/check.ts";
import { ensure, same, sh, until } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { listenAddress, type Portal } from "../emulated-target.ts";
import { mounted } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords } from "../record-writer.ts";
import { CHECKS, secondsSince, tell, untilLive } from "./observe.ts";

/** Two portals in two networks, one of which goes. */
export async function pathGroup(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const node = cluster.node(1);
  const volume = await kubernetes.create("paths", { sizeMib: 256, capability: mounted("ext4") });
  const { nqn } = volume;
  const path = await kubernetes.start(volume, node);
  const errorsBefore = await node.ioErrors();

  /** The portal of the path over which the kernel writes now. */
  async function activePortal(): Promise<Portal> {
    const controllers = await node.controllers(nqn);
    const count = async (): Promise<number[]> => {
      const each = controllers.map(({ name }) => `awk '{ print $5 }' /sys/class/nvme/${name}/nvme*c*n*/stat`);
      return (await node.sh(each.join("; "))).split("\n").map(Number);
    };
    const before = await count();
    await writer.more(10);
    const after = await count();
    const written = controllers.map((_, index) => (after[index] ?? 0) - (before[index] ?? 0));
    const active = controllers[written.indexOf(Math.max(...written))]?.address;
    const portal = target.portals.find(({ address }) => address === active);
    if (portal === undefined) throw new Error("nothing is written over any path");
    return portal;
  }
  const lostPaths = async (): Promise<string[]> =>
    (await node.controllers(nqn)).filter(({ state }) => state === "connecting").map(({ address }) => address);
  const isLost = async ({ address }: Portal): Promise<boolean> => (await lostPaths()).includes(address);

  await check("both portals are paths to one device", async () => {
    await untilLive(node, nqn, 2);
    const found = (await node.controllers(nqn)).map(({ address }) => address);
    same("addresses", found.toSorted().join(), target.portals.map(({ address }) => address).join());
    const source = await node.sh(`findmnt -n -o SOURCE ${path}`);
    same("devices", await node.sh(`ls /sys/block | grep -c '^nvme[0-9]*n1$'`), "1");
    ensure(source, /^\/dev\/nvme\d+n1$/.test(source));
  });

  await node.sh("dd if=/dev/urandom of=/tmp/source bs=1M count=4 status=none");
  const writer = new RecordWriter(node, `${path}/records`, "paths");
  const bulk = node.begin(
    `while :; do dd if=/tmp/source of=${path}/bulk bs=256k oflag=direct conv=notrunc status=none || exit 1; sleep 0.2; done`,
  );
  await writer.more(20);
  writer.takeSlowestMs();
  await check("the listener of the path in use goes, and is published again", async () => {
    const portal = await activePortal();
    await target.rpc.call("nvmf_subsystem_remove_listener", { nqn, listen_address: listenAddress(portal) });
    await until("the path is lost", () => isLost(portal));
    await writer.more(30);
    tell(`slowest write beside a lost listener: ${writer.takeSlowestMs()} ms`);
    same("published again", await kubernetes.reconcile(), 1);
    const start = performance.now();
    await untilLive(node, nqn, 2);
    tell(`the path is back ${secondsSince(start)} s after the listener`);
    writer.assertWriting();
  });
  await check("the cable of the path in use is pulled out, and put in again", async () => {
    const portal = await activePortal();
    const network = portal === target.portals[0] ? "a" : "b";
    writer.takeSlowestMs();
    node.setLink(network, "down");
    try {
      await until("the path is lost", () => isLost(portal), 60_000);
      await writer.more(30);
      tell(`slowest write beside a lost network: ${writer.takeSlowestMs()} ms`);
    } finally {
      node.setLink(network, "up");
    }
    const start = performance.now();
    await untilLive(node, nqn, 2, 60_000);
    tell(`the path is back ${secondsSince(start)} s after the network`);
    writer.assertWriting();
  });
  await check("both cables are pulled out for a while: I/O waits, and goes on", async () => {
    node.setLink("a", "down");
    node.setLink("b", "down");
    try {
      await until("no path is left", async () => (await lostPaths()).length === 2, 60_000);
    } finally {
      node.setLink("a", "up");
      node.setLink("b", "up");
    }
    const start = performance.now();
    await writer.more(30);
    tell(
      `written again ${secondsSince(start)} s after the networks are back; slowest write ${writer.takeSlowestMs()} ms`,
    );
    await untilLive(node, nqn, 2, 60_000);
  });
  await check("no error in all that, and the data are equal", async () => {
    await writer.stop();
    bulk.kill();
    const end = await bulk.ended.catch(String);
    // Killed, and not ended by an error of its own before.
    ensure(end, end.endsWith("SIGKILL"));
    await node.sh(`dd if=/tmp/source of=${path}/bulk bs=256k oflag=direct conv=notrunc status=none`);
    await kubernetes.end(volume, node);
    const again = await kubernetes.start(volume, node);
    assertWhole(await readRecords(node, `${again}/records`, "paths"), writer.acknowledged);
    await node.sh(`cmp /tmp/source ${again}/bulk`);
    same("errors of I/O", await node.ioErrors(), errorsBefore);
    await kubernetes.end(volume, node);
    await sh(`${CHECKS.ext4} ${target.lvolFile(volume.uuid)}`);
  });
  await kubernetes.delete(volume);
  same("left", (await cluster.leftovers()).join(", "), "");
}
