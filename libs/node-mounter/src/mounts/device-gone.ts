import type { Host } from "../host/host.ts";
import type { MountEntry } from "./mount-info.ts";

/** Filesystems without a device of their own have this major number, btrfs too where its device has gone. */
const ANONYMOUS = "0:";

/**
 * Whether the kernel has lost the device under a mount, which may look healthy for long from what is cached. Asks sysfs,
 * never the mount. A filesystem that needs no device has not lost it.
 */
export async function isDeviceGone(
  host: Host,
  { deviceNumber, fsType }: Pick<MountEntry, "deviceNumber" | "fsType">,
): Promise<boolean> {
  if (deviceNumber.startsWith(ANONYMOUS)) return fsType === "btrfs";
  return (await host.files.lstat(`/sys/dev/block/${deviceNumber}`)) === undefined;
}
