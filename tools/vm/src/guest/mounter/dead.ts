import { setTimeout } from "node:timers/promises";

import { diagnoseMount, measureVolume, stageVolume, unstageVolume } from "@org/node-mounter";

import type { Check } from "../check.ts";
import { begin, ensure, same, sh } from "../shell.ts";
import type { Target } from "../target.ts";
import { openNode, requestFor } from "./emulator-volumes.ts";
import { refusalOf } from "./observe.ts";

const CONNECTS = 20;
/** How long statistics of a living volume may take meanwhile. */
const ANSWER_MS = 1000;

/** Nothing that hangs in the kernel holds up what does not. */
export async function deadGroup(target: Target, check: Check): Promise<void> {
  const node = await openNode("dead");
  const living = await target.createVolume("living", 64);
  const request = requestFor(living);
  await stageVolume(node, request);
  const measure = async (): Promise<number> => {
    const start = performance.now();
    await measureVolume(node, { volumeId: living.name, volumePath: request.stagingPath });
    return performance.now() - start;
  };
  await check(`${CONNECTS} connects to a portal that swallows everything: statistics answer meanwhile`, async () => {
    // A device without ARP that drops whatever it is given.
    await sh("modprobe dummy; ip link add hole type dummy && ip addr add 10.99.0.1/24 dev hole && ip link set hole up");
    const connects = Array.from({ length: CONNECTS }, (_, index) => {
      const nqn = `nqn.2020-04.io.spdk.csi:uuid:hole-${index}`;
      const connection = { ...request.connection, nqn, portals: [{ address: "10.99.0.2", port: 4420 }] };
      return refusalOf(node.connector.attach(connection, { timeoutMs: 15_000 }));
    });
    await setTimeout(3000);
    const times: number[] = [];
    for (let round = 0; round < 5; round++) times.push(await measure());
    process.stdout.write(
      `      slowest statistics beside ${CONNECTS} hanging connects: ${Math.max(...times).toFixed(0)} ms\n`,
    );
    ensure(`an answer within ${ANSWER_MS} ms`, Math.max(...times) < ANSWER_MS);
    for (const code of await Promise.all(connects)) same("code", code, "UNREACHABLE");
  });
  await check(
    "a mount whose device is dead: told in time, others are not held up, and it can be unstaged",
    async () => {
      const dead = await target.createVolume("dead", 64, [target.ports[1]]);
      const deadRequest = requestFor(dead);
      await stageVolume(node, deadRequest);
      await target.rpc("nvmf_delete_subsystem", { nqn: dead.nqn });
      target.forget(dead);
      // Something that nobody can end by force waits for the dead device.
      const stuck = begin(`dd if=/dev/zero of=${deadRequest.stagingPath}/file bs=4k count=1 oflag=direct conv=fsync`);
      await setTimeout(500);
      const asked = diagnoseMount(node.host, deadRequest.stagingPath, { timeoutMs: 3000 });
      const waiting = Array.from({ length: 8 }, () =>
        refusalOf(
          measureVolume(node, { volumeId: dead.name, volumePath: deadRequest.stagingPath }, { timeoutMs: 3000 }),
        ),
      );
      const times: number[] = [];
      for (let round = 0; round < 5; round++) times.push(await measure());
      process.stdout.write(`      slowest statistics beside a dead mount: ${Math.max(...times).toFixed(0)} ms\n`);
      ensure(`an answer within ${ANSWER_MS} ms`, Math.max(...times) < ANSWER_MS);
      // Whatever they say, they say it in time: what is cached is answered, what is not is told as TIMEOUT.
      const said = [(await asked)?.code ?? "no error", ...(await Promise.all(waiting))];
      const expected = ["no error", "NOT_ANSWERING", "TIMEOUT"];
      for (const code of said) ensure(`an answer, not ${code}`, expected.includes(code));
      const session = await node.connector.diagnose(deadRequest.connection);
      same("session", session?.code, "CONNECTING");
      same("detach", await refusalOf(node.connector.detach(deadRequest.connection)), "IN_USE");
      await sh(
        `for c in /sys/class/nvme/*; do [ "$(cat $c/subsysnqn)" = ${dead.nqn} ] && echo 1 > $c/delete_controller; done; true`,
      );
      await stuck.catch(() => undefined);
      same("mount", (await diagnoseMount(node.host, deadRequest.stagingPath))?.code, "DEVICE_GONE");
      await unstageVolume(node, deadRequest);
      same("mounts left", await sh(`grep -c ${dead.name} /proc/mounts || true`), "0");
      await target.rpc("bdev_lvol_delete", { name: dead.uuid });
    },
  );
  await unstageVolume(node, request);
  await target.remove(living);
}
