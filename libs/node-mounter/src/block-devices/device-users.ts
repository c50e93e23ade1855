import type { Host } from "../host/host.ts";
import { findMounts } from "../mounts/mount-table.ts";

/** Who uses a block device: where it is mounted, and devices that hold it (dm, md, loop). Nobody: empty. */
export async function deviceUsers(host: Host, device: string): Promise<string[]> {
  const name = device.slice(device.lastIndexOf("/") + 1);
  const holders = (await host.files.list(`/sys/class/block/${name}/holders`)) ?? [];
  const mounts = await findMounts(host, { device });
  return [...mounts.map(({ target }) => target), ...holders.map((holder) => `/dev/${holder}`)];
}
