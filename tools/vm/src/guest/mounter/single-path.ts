import { stageVolume, unstageVolume } from "@org/node-mounter";

import type { Check } from "../check.ts";
import { HOST_NQN } from "../host.ts";
import { same, sh } from "../shell.ts";
import { openNode } from "./emulator-volumes.ts";
import { KernelTarget } from "./kernel-target.ts";
import { PORTS, requestFor } from "./kernel-volume.ts";
import { sessions } from "./observe.ts";

/** The kernel's own target and an initiator without native multipath, where each session is a device of its own. */
export async function singlePathGroup(check: Check): Promise<void> {
  await sh("modprobe -a nvme-tcp nvmet-tcp");
  const volume = {
    name: "single",
    uuid: "6c2a1e5a-0d0e-4c5f-9d5b-0123456789cd",
    transport: "tcp",
    address: "127.0.0.1",
  } as const;
  const request = requestFor(volume);
  const { nqn } = request.connection;
  const node = await openNode("single");
  const target = new KernelTarget(nqn, volume.uuid);
  await target.create(64, HOST_NQN);
  await check("multipath is off", async () => {
    same("parameter", await sh("cat /sys/module/nvme_core/parameters/multipath"), "N");
  });
  await check("the second portal serves where the first does not answer; one session, one device", async () => {
    target.listen(PORTS[1], "tcp", volume.address);
    await stageVolume(node, request);
    same("sessions", sessions(nqn), 1);
    same("health", await node.connector.diagnose(request.connection), undefined);
    await sh(`echo kept > ${request.stagingPath}/file && sync`);
  });
  await check("staged again it is the same session, and unstaged it is gone", async () => {
    target.listen(PORTS[0], "tcp", volume.address);
    await stageVolume(node, request);
    same("sessions", sessions(nqn), 1);
    await unstageVolume(node, request);
    same("sessions left", sessions(nqn), 0);
  });
  target.remove();
}
