import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { mountDevice } from "./mount-device.ts";
import { MountError } from "./mount-error.ts";
import { isReadonly, mergeMountOptions } from "./mount-options.ts";
import { canonicalPath, MountTable } from "./mount-table.ts";
import { ensureTarget, requireBlockDevice } from "./mount-target.ts";
import { removeDeadMounts } from "./remove-mount.ts";

/** A filesystem to be mounted from its device. */
export interface DeviceMount {
  /** The block device itself; a symlink is refused. */
  readonly source: string;
  /** A directory; made (0750, with its parents) if missing. */
  readonly target: string;
  readonly fsType: string;
  /** Mount options, as after `mount -o`. Default none. xfs always gets `nouuid`: clones share their origin's uuid. */
  readonly options?: readonly string[];
  /** Options that hold secrets: they reach neither an argument list nor an error. Default none. */
  readonly sensitiveOptions?: readonly string[];
}

/**
 * Mounts a device on a directory. Mounted there from the same device already: fine, unless one is read-only and the other
 * not (MountError `MISMATCH`). Something else there: `TARGET_BUSY`; but a mount whose device is gone is removed first,
 * because it only looks healthy. Default deadline 120 s.
 */
export async function ensureMounted(host: Host, mount: DeviceMount, options: CallOptions = {}): Promise<void> {
  const { timeoutMs = 120_000, signal } = options;
  const { source, fsType, sensitiveOptions = [] } = mount;
  const mountOptions = mergeMountOptions(mount.options ?? [], fsType === "xfs" ? ["nouuid"] : []);
  const { deviceNumber } = await requireBlockDevice(host, source);
  const target = await canonicalPath(host, mount.target);
  const wanted = { source, deviceNumber, target, readonly: isReadonly(mountOptions) };
  const table = await removeDeadMounts(host, target, { timeoutMs, signal });
  if (isMounted(table, wanted)) return;
  await ensureTarget(host, target, "directory");
  try {
    await mountDevice(host, { source, target, fsType, options: mountOptions, sensitiveOptions }, { timeoutMs, signal });
  } catch (error) {
    // A mount that was made all the same (by the other of two calls) is what was asked for.
    if (!(error instanceof MountError)) throw error;
    if (!isMounted(await MountTable.read(host), wanted)) throw error;
  }
}

interface Wanted {
  readonly source: string;
  readonly deviceNumber: string;
  readonly target: string;
  readonly readonly: boolean;
}

function isMounted(table: MountTable, { source, deviceNumber, target, readonly }: Wanted): boolean {
  const [top] = table.stackAt(target);
  if (top === undefined) return false;
  if (top.deviceNumber !== deviceNumber || top.root !== "/") {
    throw new MountError(
      "TARGET_BUSY",
      `${target} has ${top.source} (${top.fsType}) mounted, not ${source}: unmount it first`,
    );
  }
  if (top.options.includes("ro") !== readonly) {
    const [is, asked] = readonly ? ["read-write", "read-only"] : ["read-only", "read-write"];
    throw new MountError("MISMATCH", `${source} is mounted ${is} on ${target}, ${asked} is asked: unmount it first`);
  }
  return true;
}
