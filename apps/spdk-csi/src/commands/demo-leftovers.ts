import { findMounts, type Host } from "@org/node-mounter";

/** Unmounts and detaches every loop device on a file below `dir`: what nobody unstaged before the demo ended. */
export async function releaseLoopDevices(host: Host, dir: string): Promise<void> {
  const { stdout } = await host.run("losetup", ["--list", "--noheadings", "--raw", "--output", "NAME,BACK-FILE"]);
  for (const line of stdout.trim().split("\n")) {
    const [device = "", file = ""] = line.split(/\s+/);
    if (!file.startsWith(`${dir}/`)) continue;
    for (const { target } of (await findMounts(host, { device })).toReversed())
      await host.run("umount", ["--", target]);
    await host.run("losetup", ["--detach", device]);
  }
}
