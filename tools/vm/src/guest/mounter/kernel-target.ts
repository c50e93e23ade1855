import {
  expandVolume,
  type NvmeConnection,
  type NvmeTransport,
  type PublishRequest,
  publishVolume,
  stageVolume,
  unpublishVolume,
  unstageVolume,
} from "@org/node-mounter";

import type { Check } from "../check.ts";
import { HOST_ID, HOST_NQN } from "../host.ts";
import { begin, same, sh, until } from "../shell.ts";
import { openNode } from "./emulator-volumes.ts";
import { KernelTarget } from "./nvmet.ts";
import { refusalOf, sessions } from "./observe.ts";

const MIB = 1024n ** 2n;
const PORTS = [4420, 4421] as const;

interface Volume {
  readonly name: string;
  readonly uuid: string;
  readonly transport: NvmeTransport;
  readonly address: string;
}

function requestFor({ name, uuid, transport, address }: Volume): PublishRequest<NvmeConnection> {
  const portals = PORTS.map((port) => ({ address, port }));
  const nqn = `nqn.2026-11.org.example:${name}`;
  return {
    volumeId: name,
    connection: {
      transport,
      nqn,
      portals,
      uuid,
      nsid: 1,
      hostNqn: HOST_NQN,
      hostId: HOST_ID,
      reconnectDelaySeconds: 1,
    },
    stagingPath: `/mnt/staging/${name}`,
    targetPath: `/mnt/pods/${name}`,
    access: { kind: "filesystem", fsType: "ext4" },
    // No proof: the kernel's target gives none, so the whole device is read.
    mayFormat: true,
    readonly: false,
  };
}

/** NVMe/TCP with the kernel's own target, to which nothing of ours has been fitted. */
export async function kernelGroup(check: Check): Promise<void> {
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

/** The same in a kernel without native multipath, where each session is a device of its own. */
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
