import type { Check } from "./check.ts";
import { connect, device, disconnect, read } from "./host.ts";
import { same, sh } from "./shell.ts";
import type { Target } from "./target.ts";

const MIB = 1024 ** 2;
const BLOCK = 4096;

/** A volume with blocks of 4 KiB. */
export async function blockGroup(target: Target, check: Check): Promise<void> {
  const name = "Malloc4k";
  await target.rpc("bdev_malloc_create", { name, num_blocks: (512 * MIB) / BLOCK, block_size: BLOCK });
  await target.rpc("bdev_lvol_create_lvstore", { bdev_name: name, lvs_name: "lvs4k", cluster_sz: MIB });
  const lvol = { lvs_name: "lvs4k", lvol_name: "blocks", size_in_mib: 400, thin_provision: true };
  const volume = await target.export("blocks", String(await target.rpc("bdev_lvol_create", lvol)));
  for (const [type, make, fsck] of [
    ["ext4", "mkfs.ext4 -q", "e2fsck -fn"],
    ["xfs", "mkfs.xfs -q -f", "xfs_repair -n"],
  ] as const) {
    await check(`blocks of 4 KiB carry ${type}`, async () => {
      await connect(volume.nqn, target.ports[0]);
      const path = await device(volume.uuid);
      same("logical blocks", read(`/sys/class/block/${path.slice("/dev/".length)}/queue/logical_block_size`), "4096");
      await sh(`${make} ${path} && mkdir -p /mnt/blocks && mount ${path} /mnt/blocks`);
      await sh("dd if=/dev/urandom of=/mnt/blocks/file bs=1M count=24 conv=fsync");
      const sum = await sh("sha256sum < /mnt/blocks/file");
      await sh(`umount /mnt/blocks && mount ${path} /mnt/blocks`);
      same("checksum", await sh("sha256sum < /mnt/blocks/file"), sum);
      await sh(`rm /mnt/blocks/file && sync && fstrim /mnt/blocks && umount /mnt/blocks && ${fsck} ${path}`);
      await disconnect(volume.nqn);
    });
  }
  await target.remove(volume);
  await target.rpc("bdev_malloc_delete", { name });
}
