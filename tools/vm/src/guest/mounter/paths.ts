import { setTimeout } from "node:timers/promises";

import { diagnoseVolume, publishVolume, stageVolume, unpublishVolume, unstageVolume } from "@org/node-mounter";

import type { Check } from "../check.ts";
import { anaStates } from "../host.ts";
import { begin, same, sh, until } from "../shell.ts";
import type { Target } from "../target.ts";
import { openNode, requestFor } from "./emulator-volumes.ts";
import { sessions } from "./observe.ts";

/** Two paths to one volume, and a target that goes and comes back, under I/O. */
export async function pathGroup(target: Target, check: Check): Promise<void> {
  const [one, two] = target.ports;
  const node = await openNode("paths");
  const volume = await target.createVolume("paths", 256, [one, two]);
  const request = requestFor(volume);
  const set = (port: number, ana_state: string): Promise<unknown> =>
    target.rpc("nvmf_subsystem_listener_set_ana_state", {
      nqn: volume.nqn,
      listen_address: target.address(port),
      ana_state,
    });
  const file = `${request.targetPath}/file`;
  const write = (): Promise<string> => begin(`dd if=/tmp/source of=${file} bs=64k oflag=direct status=none && sync`);
  const compare = (): Promise<string> => sh(`echo 3 > /proc/sys/vm/drop_caches && cmp /tmp/source ${file}`);
  const health = async (): Promise<string> => {
    const defects = await diagnoseVolume(node, { volumeId: volume.name, volumePath: request.targetPath });
    return defects.map(({ code }) => code).join(" ") || "HEALTHY";
  };
  await sh("dd if=/dev/urandom of=/tmp/source bs=1M count=24 status=none");
  await check("both portals make one device", async () => {
    await stageVolume(node, request);
    await publishVolume(node, request);
    same("sessions", sessions(volume.nqn), 2);
    same("health", await health(), "HEALTHY");
  });
  await check("I/O moves from path to path as the target says (ANA), without an error", async () => {
    const writer = write();
    await set(one, "inaccessible");
    await until("the other path alone", () => anaStates().toSorted().join(" ") === "inaccessible optimized");
    await setTimeout(300);
    await set(two, "inaccessible");
    await setTimeout(300);
    same("health with no usable path", await health(), "PATH_LOST");
    await set(one, "optimized");
    await writer;
    await set(two, "optimized");
    await until("both paths", () => anaStates().join(" ") === "optimized optimized");
    await compare();
  });
  await check("a path that goes takes no I/O along, is told, and is there again when it can be", async () => {
    const listener = { nqn: volume.nqn, listen_address: target.address(one) };
    const writer = write();
    await target.rpc("nvmf_subsystem_remove_listener", listener);
    await writer;
    await compare();
    await until("the lost path is told", async () => (await health()) === "PATH_LOST");
    await target.rpc("nvmf_subsystem_add_listener", listener);
    await until("the path is back", async () => (await health()) === "HEALTHY");
  });
  await check("a target that is killed and comes back under I/O: no error, data intact, the loss is told", async () => {
    const writer = write();
    const restart = target.killAndRestart();
    await until("the loss is told", async () => (await health()).includes("CONNECTING"));
    await restart;
    await writer;
    await compare();
    await until("both paths", async () => (await health()) === "HEALTHY", 30_000);
  });
  await check("the filesystem is clean, and nothing is left", async () => {
    const { device } = await node.connector.attach(request.connection);
    await unpublishVolume(node, request);
    await sh(`umount ${request.stagingPath} && e2fsck -fn ${device}`);
    await unstageVolume(node, request);
    same("sessions left", sessions(volume.nqn), 0);
  });
  await target.remove(volume);
}
