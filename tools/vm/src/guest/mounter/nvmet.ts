import { expandVolume, publishVolume, stageVolume, unpublishVolume, unstageVolume } from "@org/node-mounter";

import type { Check } from "../check.ts";
import { HOST_NQN, read } from "../host.ts";
import { begin, same, sh, until } from "../shell.ts";
import { openNode } from "./emulator-volumes.ts";
import { KernelTarget } from "./kernel-target.ts";
import { PORTS, requestFor } from "./kernel-volume.ts";
import { controllersOf, refusalOf, sessions } from "./observe.ts";

const IPV6_PORT = 4422;
const MIB = 1024n ** 2n;

/** NVMe/TCP with the kernel's own target, to which nothing of ours has been fitted. */
export async function nvmetGroup(check: Check): Promise<void> {
  await sh("modprobe -a nvme-tcp nvmet-tcp");
  const volume = {
    name: "nvmet",
    uuid: "6c2a1e5a-0d0e-4c5f-9d5b-0123456789ab",
    transport: "tcp",
    address: "127.0.0.1",
  } as const;
  const request = requestFor(volume);
  const { nqn } = request.connection;
  const node = await openNode("nvmet");
  const target = new KernelTarget(nqn, volume.uuid);
  await target.create(128, HOST_NQN);
  for (const port of PORTS) target.listen(port, "tcp", volume.address);
  await check("two portals, formatted after all of it was read, written", async () => {
    await stageVolume(node, request);
    await publishVolume(node, request);
    same("sessions", sessions(nqn), 2);
    await sh(
      `dd if=/dev/urandom of=/tmp/source bs=1M count=16 status=none && cp /tmp/source ${request.targetPath}/file && sync`,
    );
  });
  await check("grown while it is mounted", async () => {
    await target.grow(256);
    const expansion = { volumeId: volume.name, volumePath: request.targetPath, requiredBytes: 256n * MIB };
    same("size", await expandVolume(node, expansion), 256n * MIB);
  });
  await check("a path is given up and taken again as the target says, under I/O", async () => {
    const writer = begin(`dd if=/tmp/source of=${request.targetPath}/other bs=64k oflag=direct status=none`);
    target.setAna(PORTS[0], "inaccessible");
    await writer;
    target.setAna(PORTS[0], "optimized");
    await sh(`echo 3 > /proc/sys/vm/drop_caches && cmp /tmp/source ${request.targetPath}/other`);
    await until("both paths", async () => (await node.connector.diagnose(request.connection)) === undefined);
  });
  await check("unstaged with nothing left", async () => {
    await unpublishVolume(node, request);
    await unstageVolume(node, request);
    same("sessions left", sessions(nqn), 0);
  });
  await check("another namespace under the same number is refused", async () => {
    target.becomeAnother("6c2a1e5a-0d0e-4c5f-9d5b-ba9876543210");
    same("code", await refusalOf(stageVolume(node, request)), "WRONG_DEVICE");
    await unstageVolume(node, request);
    target.becomeAnother(volume.uuid);
    await stageVolume(node, request);
    same("content", await sh(`cmp /tmp/source ${request.stagingPath}/file && echo same`), "same");
    await unstageVolume(node, request);
    same("sessions left", sessions(nqn), 0);
  });
  await check("IPv6, and all that can be said of patience and queues, as the kernel then shows it", async () => {
    target.listen(IPV6_PORT, "tcp", "::1");
    const portals = [{ address: "::1", port: IPV6_PORT }];
    const tuning = {
      ioQueues: 1,
      reconnectDelaySeconds: 3,
      controllerLossTimeoutSeconds: 90,
      fastIoFailTimeoutSeconds: 30,
      keepAliveSeconds: 7,
    };
    const connection = { ...request.connection, ...tuning, portals };
    await node.connector.attach(connection);
    await node.connector.attach(connection);
    const [controller, ...others] = controllersOf(nqn);
    same("other sessions", others.length, 0);
    const shows = (attribute: string): string => read(`/sys/class/nvme/${controller}/${attribute}`);
    same("admin queue and I/O queues", shows("queue_count"), "2");
    same("reconnect_delay", shows("reconnect_delay"), "3");
    same("ctrl_loss_tmo", shows("ctrl_loss_tmo"), "90");
    same("fast_io_fail_tmo", shows("fast_io_fail_tmo"), "30");
    same("kato", shows("kato"), "7");
    same("health", await node.connector.diagnose(connection), undefined);
    await node.connector.detach(connection);
    same("sessions left", sessions(nqn), 0);
  });
  await check("a key that the kernel's target asks for", async () => {
    const key = await sh(`nvme gen-dhchap-key -n ${HOST_NQN} -m 1`);
    target.requireKey(HOST_NQN, key);
    const attach = (secrets: Record<string, string>): Promise<unknown> =>
      node.connector.attach(request.connection, { secrets });
    // A wrong key is tried with the emulator: this target falls silent then, until the kernel's own deadline of 60 s.
    same("none", await refusalOf(attach({})), "AUTHENTICATION_FAILED");
    await attach({ dhchapKey: key });
    await node.connector.detach(request.connection);
    same("sessions left", sessions(nqn), 0);
  });
  target.remove();
}
