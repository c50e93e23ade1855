import { setTimeout } from "node:timers/promises";
import type { Check } from "./check.ts";
import { connect, device, disconnect } from "./host.ts";
import { begin, same, sh } from "./shell.ts";
import type { Target } from "./target.ts";

/** A target that dies. */
export async function restartGroup(target: Target, check: Check): Promise<void> {
  const [one, two] = target.ports;
  const volume = await target.createVolume("restart", 256, [one, two]);
  await check(
    "killed with -9 under I/O and started again: no error, checksums equal, the filesystem clean",
    async () => {
      await connect(volume.nqn, one);
      await connect(volume.nqn, two);
      const path = await device(volume.uuid);
      await sh(`mkfs.ext4 -q ${path} && mkdir -p /mnt/restart && mount ${path} /mnt/restart`);
      await sh("dd if=/dev/urandom of=/tmp/source bs=1M count=32 status=none");
      const writer = begin("dd if=/tmp/source of=/mnt/restart/file bs=64k oflag=direct && sync");
      await setTimeout(500);
      await target.killAndRestart();
      await writer;
      await sh("echo 3 > /proc/sys/vm/drop_caches");
      same("checksum", await sh("sha256sum < /mnt/restart/file"), await sh("sha256sum < /tmp/source"));
      await sh(`umount /mnt/restart && e2fsck -fn ${path}`);
    },
  );
  await disconnect(volume.nqn);
  await target.remove(volume);
}
