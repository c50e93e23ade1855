import type { Host } from "../host/host.ts";

/**
 * The device node of a disk that the kernel shows; made where /dev is not the kernel's own, because nobody else makes it
 * there. Undefined while there is none. `deviceNumber` is `major:minor`, as sysfs says it.
 */
export async function ensureDeviceNode(host: Host, name: string, deviceNumber: string): Promise<string | undefined> {
  const path = `/dev/${name}`;
  const found = await host.files.lstat(path);
  if (found?.deviceNumber === deviceNumber) return path;
  // One of a device that is no more; any other belongs to somebody else's device and is left alone.
  const isStale =
    found?.kind === "block" && (await host.files.list(`/sys/dev/block/${found.deviceNumber}`)) === undefined;
  if (isStale) await host.files.unlink(path);
  const [major = "", minor = ""] = deviceNumber.split(":");
  await host.run("mknod", ["-m", "0600", path, "b", major, minor]);
  return (await host.files.lstat(path))?.deviceNumber === deviceNumber ? path : undefined;
}
