import type { Host } from "../host/host.ts";
import type { MountEntry } from "./mount-info.ts";

/** Filesystems without a device of their own have this major number, btrfs too where its device has gone. */
const ANONYMOUS = "0:";

/**
 * Whether the kernel has lost the device under a mount, which may look healthy for long from what is cached; also the one
 * below a mapping (dm). Asks sysfs, never the mount. A filesystem that needs no device has not lost it.
 */
export async function isDeviceGone(
  host: Host,
  { deviceNumber, fsType }: Pick<MountEntry, "deviceNumber" | "fsType">,
): Promise<boolean> {
  if (deviceNumber.startsWith(ANONYMOUS)) return fsType === "btrfs";
  const dir = `/sys/dev/block/${deviceNumber}`;
  const inside = await host.files.list(dir);
  if (inside === undefined) return true;
  if (!inside.includes("dm")) return false;
  const below = (await host.files.list(`${dir}/slaves`)) ?? [];
  // Each is a link to its device, which leads nowhere once that is gone.
  const found = await Promise.all(below.map((name) => host.files.realpath(`${dir}/slaves/${name}`)));
  return found.length === 0 || found.includes(undefined);
}
