import { stageVolume, unstageVolume } from "@org/node-mounter";

import type { Check } from "../check.ts";
import { HOST_NQN } from "../host.ts";
import { same, sh } from "../shell.ts";
import { openNode } from "./emulator-volumes.ts";
import { KernelTarget } from "./kernel-target.ts";
import { PORTS, requestFor } from "./kernel-volume.ts";
import { sessions } from "./observe.ts";

/** NVMe/RDMA over a software RDMA device on an Ethernet one. */
export async function rdmaGroup(check: Check): Promise<void> {
  await sh("modprobe -a rdma_rxe nvme-rdma nvmet-rdma && rdma link add rxe0 type rxe netdev eth0");
  const volume = {
    name: "rdma",
    uuid: "6c2a1e5a-0d0e-4c5f-9d5b-0123456789ef",
    transport: "rdma",
    address: "10.0.2.15",
  } as const;
  const request = requestFor(volume);
  const connection = { ...request.connection, portals: [{ address: volume.address, port: PORTS[0] }] };
  const { nqn } = connection;
  const node = await openNode("rdma");
  const target = new KernelTarget(nqn, volume.uuid);
  await target.create(64, HOST_NQN);
  target.listen(PORTS[0], "rdma", volume.address);
  await check("connected, formatted, mounted and written", async () => {
    await stageVolume(node, { ...request, connection });
    same("transport", await sh("cat /sys/class/nvme/nvme*/transport"), "rdma");
    await sh(
      `dd if=/dev/urandom of=/tmp/source bs=1M count=8 status=none && cp /tmp/source ${request.stagingPath}/file`,
    );
    await sh(`sync && echo 3 > /proc/sys/vm/drop_caches && cmp /tmp/source ${request.stagingPath}/file`);
  });
  await check("disconnected with nothing left", async () => {
    await unstageVolume(node, request);
    same("sessions left", sessions(nqn), 0);
  });
  target.remove();
}
