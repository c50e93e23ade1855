import {
  expandVolume,
  measureVolume,
  publishVolume,
  stageVolume,
  unpublishVolume,
  unstageVolume,
} from "@org/node-mounter";

import type { Check } from "../check.ts";
import { read } from "../host.ts";
import { ensure, same, sh } from "../shell.ts";
import type { Target } from "../target.ts";
import { openNode, requestFor } from "./emulator-volumes.ts";
import { refusalOf, sessions } from "./observe.ts";

const MIB = 1024n ** 2n;

/** NVMe/TCP with the emulator as target. */
export async function tcpGroup(target: Target, check: Check): Promise<void> {
  for (const fsType of ["ext4", "xfs", "btrfs"] as const) await life(target, check, fsType);
  await encrypted(target, check);
  await rawBlocks(target, check);
  await refusals(target, check);
}

/** The shortest of it. */
export async function tcpSmokeGroup(target: Target, check: Check): Promise<void> {
  await life(target, check, "ext4");
  await refusals(target, check);
}

async function life(target: Target, check: Check, fsType: "ext4" | "xfs" | "btrfs"): Promise<void> {
  const node = await openNode("tcp");
  const volume = await target.createVolume(`life-${fsType}`, 512);
  const request = requestFor(volume, fsType);
  await check(`${fsType}: connected, formatted, mounted, written, and read again after it was away`, async () => {
    await stageVolume(node, request);
    await publishVolume(node, request);
    await sh(`dd if=/dev/urandom of=${request.targetPath}/file bs=1M count=16 conv=fsync status=none`);
    const sum = await sh(`sha256sum < ${request.targetPath}/file`);
    await unpublishVolume(node, request);
    await unstageVolume(node, request);
    same("sessions left", sessions(volume.nqn), 0);
    await stageVolume(node, request);
    await publishVolume(node, request);
    same("checksum", await sh(`sha256sum < ${request.targetPath}/file`), sum);
  });
  await check(`${fsType}: grown while it is written to`, async () => {
    const before = await measureVolume(node, { volumeId: volume.name, volumePath: request.targetPath });
    await target.rpc("bdev_lvol_resize", { name: volume.uuid, size_in_mib: 768 });
    const expansion = { volumeId: volume.name, volumePath: request.targetPath, requiredBytes: 768n * MIB };
    same("size", await expandVolume(node, expansion), 768n * MIB);
    const after = await measureVolume(node, { volumeId: volume.name, volumePath: request.targetPath });
    if (before.kind !== "filesystem" || after.kind !== "filesystem") throw new Error("no filesystem");
    ensure("the filesystem has grown", after.bytes.total > before.bytes.total + 200n * MIB);
  });
  await check(`${fsType}: unpublished and unstaged, with nothing left`, async () => {
    await unpublishVolume(node, request);
    await unstageVolume(node, request);
    same("sessions left", sessions(volume.nqn), 0);
    same("mounts left", await sh(`grep -c ${volume.name} /proc/mounts || true`), "0");
  });
  await target.remove(volume);
}

/** LUKS over NVMe. */
async function encrypted(target: Target, check: Check): Promise<void> {
  const node = await openNode("tcp");
  const volume = await target.createVolume("encrypted", 256);
  const luksFormatOptions = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
  const request = { ...requestFor(volume), encryption: { key: "swordfish", luksFormatOptions } };
  await check("encrypted: made, written, closed, grown while it is mounted, and read again", async () => {
    await stageVolume(node, request);
    await sh(`echo kept in secret > ${request.stagingPath}/file`);
    await unstageVolume(node, request);
    same("sessions left", sessions(volume.nqn), 0);
    same("refused", await refusalOf(stageVolume(node, { ...request, encryption: { key: "herring" } })), "WRONG_KEY");
    await stageVolume(node, request);
    await publishVolume(node, request);
    await target.rpc("bdev_lvol_resize", { name: volume.uuid, size_in_mib: 384 });
    const expansion = { volumeId: volume.name, volumePath: request.targetPath, requiredBytes: 384n * MIB };
    same("size", await expandVolume(node, expansion), 384n * MIB);
    same("content", await sh(`cat ${request.targetPath}/file`), "kept in secret");
    const { device } = await node.connector.attach(request.connection);
    same("plain text on the device", await sh(`grep -c 'kept in secret' ${device} || true`), "0");
    await unpublishVolume(node, request);
    await unstageVolume(node, request);
    same("sessions left", sessions(volume.nqn), 0);
    same("mappings left", await sh("ls /dev/mapper | grep -c csi- || true"), "0");
  });
  await target.remove(volume);
}

async function rawBlocks(target: Target, check: Check): Promise<void> {
  const node = await openNode("tcp");
  const volume = await target.createVolume("raw", 64);
  const request = { ...requestFor(volume), access: { kind: "block" } } as const;
  await check("a raw block volume is its device, and nothing is written to it", async () => {
    await stageVolume(node, request);
    await publishVolume(node, request);
    same("allocated", await target.allocatedMib(volume.uuid), 0);
    await sh(`dd if=/dev/urandom of=${request.targetPath} bs=64k count=1 oflag=direct status=none`);
    await unpublishVolume(node, request);
    await unstageVolume(node, request);
    same("sessions left", sessions(volume.nqn), 0);
  });
  await target.remove(volume);
}

async function refusals(target: Target, check: Check): Promise<void> {
  const node = await openNode("tcp");
  const volume = await target.createVolume("refused", 64);
  const { connection } = requestFor(volume);
  await check("a host that is not allowed is refused, in time and with the reason", async () => {
    const hostNqn = `${connection.hostNqn}0`;
    const hostId = connection.hostId.replace(/.$/, "6");
    same("code", await refusalOf(node.connector.attach({ ...connection, hostNqn, hostId })), "REFUSED");
    same("sessions left", sessions(volume.nqn), 0);
  });
  await check("a portal where nobody listens is UNREACHABLE", async () => {
    const portals = [{ address: "127.0.0.1", port: 9 }];
    same("code", await refusalOf(node.connector.attach({ ...connection, portals })), "UNREACHABLE");
  });
  await check("another uuid than the namespace's is refused, and the session of nobody ended", async () => {
    const uuid = "00000000-0000-4000-8000-000000000000";
    same("code", await refusalOf(node.connector.attach({ ...connection, uuid, nsid: 1 })), "WRONG_DEVICE");
    await node.connector.attach(connection);
    same("code", await refusalOf(node.connector.find({ ...connection, uuid, nsid: 1 })), "WRONG_DEVICE");
    ensure("live", read("/sys/class/nvme/nvme0/state") !== "dead");
    await node.connector.detach(connection);
    same("sessions left", sessions(volume.nqn), 0);
  });
  await target.remove(volume);
}
