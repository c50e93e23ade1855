import { setTimeout } from "node:timers/promises";
import type { Check } from "./check.ts";
import { connect, device, disconnect } from "./host.ts";
import { begin, ensure, same, sh } from "./shell.ts";
import type { Target } from "./target.ts";

const TOOLS = {
  ext4: { make: "mkfs.ext4 -q", mount: "mount", check: "e2fsck -fn" },
  xfs: { make: "mkfs.xfs -q", mount: "mount -o nouuid", check: "xfs_repair -n" },
} as const;

/** Snapshots of volumes that are being written. */
export async function cloneGroup(target: Target, check: Check): Promise<void> {
  for (const [type, { make, mount, check: fsck }] of Object.entries(TOOLS)) {
    const volume = await target.createVolume(`origin-${type}`, 384);
    await check(
      `a snapshot under write load: its clone of ${type} mounts, has what was synced, and checks clean`,
      async () => {
        await connect(volume.nqn, target.ports[0]);
        const path = await device(volume.uuid);
        await sh(`${make} ${path} && mkdir -p /mnt/origin /mnt/clone && mount ${path} /mnt/origin`);
        await sh("dd if=/dev/urandom of=/mnt/origin/synced bs=1M count=16 conv=fsync");
        const sum = await sh("sha256sum < /mnt/origin/synced");
        const writer = begin(
          "for n in 1 2 3 4 5 6 7 8; do dd if=/dev/urandom of=/mnt/origin/f$n bs=256k count=12 conv=fsync; done",
        );
        await setTimeout(1500);
        await target.rpc("bdev_lvol_snapshot", { lvol_name: volume.uuid, snapshot_name: `snapshot-${type}` });
        const clone = { snapshot_name: `lvs0/snapshot-${type}`, clone_name: `clone-${type}` };
        const cloned = await target.export(`clone-${type}`, String(await target.rpc("bdev_lvol_clone", clone)));
        await connect(cloned.nqn, target.ports[0]);
        const clonePath = await device(cloned.uuid);
        // Mounting replays the journal; only then is a filesystem that was in use clean.
        await sh(`${mount} ${clonePath} /mnt/clone`);
        same("checksum", await sh("sha256sum < /mnt/clone/synced"), sum);
        const files = Number(await sh("ls /mnt/clone | grep -c '^f' || true"));
        ensure(`${files} of 8 files in the snapshot`, files < 8);
        await sh(`umount /mnt/clone && ${fsck} ${clonePath}`);
        await writer;
        await sh(`umount /mnt/origin && ${fsck} ${path}`);
        await disconnect(cloned.nqn);
        await disconnect(volume.nqn);
        await target.remove(cloned);
      },
    );
  }
}
