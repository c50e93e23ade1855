import type { Host } from "../host/host.ts";

/**
 * The device node of a disk that the kernel shows; made where /dev is not the kernel's own, because nobody else makes it
 * there. Undefined while there is none. `deviceNumber` is `major:minor`, as sysfs says it.
 */
export async function ensureDeviceNode(host: Host, name: string, deviceNumber: string): Promise<string | undefined> {
  const path = `/dev/${name}`;
  const isIt = async (): Promise<boolean> => (await host.files.lstat(path))?.deviceNumber === deviceNumber;
  if (await isIt()) return path;
  const [major = "", minor = ""] = deviceNumber.split(":");
  // One that is there with another number is left alone: it belongs to somebody else's device.
  await host.run("mknod", ["-m", "0600", path, "b", major, minor]);
  return (await isIt()) ? path : undefined;
}
