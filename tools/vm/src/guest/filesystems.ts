import type { Check } from "./check.ts";
import { connect, device, disconnect, sizeOf } from "./host.ts";
import { begin, ensure, same, sh, until } from "./shell.ts";
import type { Target } from "./target.ts";

const MIB = 1024 ** 2;

const TOOLS = {
  ext4: {
    make: "mkfs.ext4 -q -E nodiscard",
    grow: (path: string, _mount: string) => `resize2fs ${path}`,
    check: "e2fsck -fn",
  },
  xfs: { make: "mkfs.xfs -q", grow: (_path: string, mount: string) => `xfs_growfs ${mount}`, check: "xfs_repair -n" },
} as const;

/** One volume from its first connect to its deletion under the host. */
export async function filesystemGroup(type: keyof typeof TOOLS, target: Target, check: Check): Promise<void> {
  const { make, grow, check: fsck } = TOOLS[type];
  const volume = await target.createVolume(type, 512);
  const mount = `/mnt/${type}`;
  let path = "";
  await check("connects by /dev/nvme-fabrics; uuid, size, serial and model are as set", async () => {
    await connect(volume.nqn, target.ports[0]);
    path = await device(volume.uuid);
    same("size", sizeOf(path), 512 * MIB);
    await sh(`test -e /dev/disk/by-id/nvme-${volume.uuid}_spdkcsi-sn`);
  });
  await check("a volume only read is proved blank", async () => {
    await sh(`cmp -n ${64 * MIB} ${path} /dev/zero`);
    same("allocated clusters", await target.allocatedMib(volume.uuid), 0);
  });
  let sum = "";
  await check("is made and mounted, and files have their checksums after a remount", async () => {
    await sh(`${make} ${path} && mkdir -p ${mount} && mount ${path} ${mount}`);
    await sh(`dd if=/dev/urandom of=${mount}/file bs=1M count=48 conv=fsync`);
    sum = await sh(`sha256sum < ${mount}/file`);
    await sh(`umount ${mount} && mount ${path} ${mount}`);
    same("checksum", await sh(`sha256sum < ${mount}/file`), sum);
  });
  await check("fstrim gives space back", async () => {
    await sh(`dd if=/dev/urandom of=${mount}/waste bs=1M count=64 conv=fsync`);
    const before = await target.allocatedMib(volume.uuid);
    await sh(`rm ${mount}/waste && sync`);
    // xfs frees a deleted file's blocks in the background.
    await until(`less than ${before} MiB`, async () => {
      await sh(`fstrim ${mount}`);
      return (await target.allocatedMib(volume.uuid)) <= before - 56;
    });
  });
  await check("grows while it is mounted and written to", async () => {
    const writer = begin(`dd if=/dev/urandom of=${mount}/more bs=64k count=400 oflag=direct`);
    await target.rpc("bdev_lvol_resize", { name: volume.uuid, size_in_mib: 1024 });
    await until("the new size", () => sizeOf(path) === 1024 * MIB);
    await sh(grow(path, mount));
    ensure("the filesystem has grown", Number(await sh(`df -B1M --output=size ${mount} | tail -1`)) > 800);
    await writer;
    same("checksum", await sh(`sha256sum < ${mount}/file`), sum);
  });
  await check("is clean after all that", async () => {
    await sh(`umount ${mount} && ${fsck} ${path}`);
  });
  await check("vanishes when its lvol is deleted under the host", async () => {
    target.forget(volume);
    await target.rpc("bdev_lvol_delete", { name: volume.uuid });
    await until("the device has gone", async () => (await sh(`test -e ${path} || echo gone`)) === "gone");
    await disconnect(volume.nqn);
    await target.rpc("nvmf_delete_subsystem", { nqn: volume.nqn });
  });
}
