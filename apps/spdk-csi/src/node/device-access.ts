import { type CallOptions, type Connector, findMounts, type Host, type NvmeConnection } from "@org/node-mounter";

import { DriverError } from "../driver-error.ts";

const TIMEOUT_MS = 10_000;

/**
 * A connector whose devices the kernel writes to or not, as asked. A device that nobody may write to is what makes a
 * filesystem safe to read on several nodes at once: the kernel then replays no journal and mounts only what is clean.
 */
export function withDeviceAccess(
  host: Host,
  connector: Connector<NvmeConnection>,
  access: "read-only" | "read-write",
): Connector<NvmeConnection> {
  return {
    ...connector,
    async attach(connection, options) {
      const attached = await connector.attach(connection, options);
      await ensureDeviceAccess(host, attached.device, access, options);
      return attached;
    },
  };
}

/**
 * Makes a raw block device that was just published read-only, or read-write again. It is one device for all paths of the
 * node: throws IN_USE where another path has it the other way.
 */
export async function ensureBlockAccess(
  host: Host,
  { volumeId, targetPath, readonly }: { volumeId: string; targetPath: string; readonly: boolean },
  options?: CallOptions,
): Promise<void> {
  // Nor can others write then, whatever their mounts say: kubelet binds each path once more, and always read-write.
  if (readonly && (await isReadonly(host, targetPath))) return;
  const own = await findMounts(host, { target: targetPath });
  const all = await findMounts(host, { device: targetPath });
  const other = all.find(
    ({ id, options: flags }) => !own.some((each) => each.id === id) && flags.includes("ro") !== readonly,
  );
  if (other !== undefined) {
    const [is, asked] = readonly ? ["read-write", "read-only"] : ["read-only", "read-write"];
    throw new DriverError(
      "IN_USE",
      `volume "${volumeId}" is a raw block device that is published ${is} at ${other.target}, so it cannot be ${asked} at ${targetPath} on the same node: end the pod there first`,
    );
  }
  await ensureDeviceAccess(host, targetPath, readonly ? "read-only" : "read-write", options);
}

async function ensureDeviceAccess(
  host: Host,
  device: string,
  access: "read-only" | "read-write",
  options: CallOptions = {},
): Promise<void> {
  if ((await isReadonly(host, device)) === (access === "read-only")) return;
  const flag = access === "read-only" ? "--setro" : "--setrw";
  const limits = { timeoutMs: TIMEOUT_MS, signal: options.signal };
  const { exitCode, stderr } = await host.run("blockdev", [flag, device], limits);
  if (exitCode === 0) return;
  throw new DriverError(
    "NOT_READY",
    `${device} cannot be made ${access} (blockdev ${flag}): ${stderr.trim()}; see what uses it on this node, the call can be repeated`,
  );
}

/** Whether the kernel refuses to write to a device. */
async function isReadonly(host: Host, device: string): Promise<boolean> {
  const node = await host.files.lstat(device);
  return (await host.files.readText(`/sys/dev/block/${node?.deviceNumber}/ro`))?.trim() === "1";
}
