import type { Host } from "../host/host.ts";
import { findMounts } from "../mounts/mount-table.ts";

/** Where filesystems show which devices they have, also those whose mounts this process does not see. */
const FILESYSTEMS = ["ext4", "xfs"] as const;

/**
 * Who uses a block device or a partition of it: where it is mounted, devices that hold it (dm, md), and filesystems that
 * live on it although no mount is seen here, because another mount namespace has one or an unmount is still writing back.
 * Nobody: empty.
 */
export async function deviceUsers(host: Host, device: string): Promise<string[]> {
  const name = device.slice(device.lastIndexOf("/") + 1);
  const inside = (await host.files.list(`/sys/class/block/${name}`)) ?? [];
  const names = [name, ...inside.filter((each) => each.startsWith(name))];
  return (await Promise.all(names.map((each) => usersOf(host, each)))).flat();
}

async function usersOf(host: Host, name: string): Promise<string[]> {
  const holders = (await host.files.list(`/sys/class/block/${name}/holders`)) ?? [];
  const mounts = await findMounts(host, { device: `/dev/${name}` });
  const seen = [...mounts.map(({ target }) => target), ...holders.map((holder) => `/dev/${holder}`)];
  if (seen.length > 0 || !(await hasFilesystem(host, name))) return seen;
  return [`a filesystem on ${name} that is mounted elsewhere or still being written back`];
}

async function hasFilesystem(host: Host, name: string): Promise<boolean> {
  for (const type of FILESYSTEMS) if (await exists(host, `/sys/fs/${type}/${name}`)) return true;
  for (const id of (await host.files.list("/sys/fs/btrfs")) ?? []) {
    if (await exists(host, `/sys/fs/btrfs/${id}/devices/${name}`)) return true;
  }
  return false;
}

async function exists(host: Host, path: string): Promise<boolean> {
  return (await host.files.lstat(path)) !== undefined;
}
