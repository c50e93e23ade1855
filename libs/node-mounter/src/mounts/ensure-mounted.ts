import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { MountError } from "./mount-error.ts";
import { canonicalPath, MountTable } from "./mount-table.ts";
import { ensureTarget, requireBlockDevice, runMount } from "./mount-target.ts";

/** A filesystem to be mounted from its device. */
export interface DeviceMount {
  /** The block device itself; a symlink is refused. */
  readonly source: string;
  /** A directory; made (0750, with its parents) if missing. */
  readonly target: string;
  readonly fsType: string;
  /** Mount options, as after `mount -o`. Default none. xfs always gets `nouuid`: clones share their origin's uuid. */
  readonly options?: readonly string[];
}

/**
 * Mounts a device on a directory. Mounted there from the same device already: fine, unless one is read-only and the
 * other not (MountError `MISMATCH`). Something else there: `TARGET_BUSY`. Default deadline 120 s.
 */
export async function ensureMounted(host: Host, mount: DeviceMount, options: CallOptions = {}): Promise<void> {
  const { timeoutMs = 120_000, signal } = options;
  const { source, fsType } = mount;
  const mountOptions = withNouuid(fsType, mount.options ?? []);
  const { deviceNumber } = await requireBlockDevice(host, source);
  const target = await canonicalPath(host, mount.target);
  if (await isMounted(host, { source, deviceNumber, target, readonly: isReadonly(mountOptions) })) return;
  await ensureTarget(host, target, "directory");
  const flags = mountOptions.length === 0 ? [] : ["-o", mountOptions.join(",")];
  try {
    await runMount(host, ["mount", "-t", fsType, ...flags, source, target], { timeoutMs, signal });
  } catch (error) {
    // A mount that was made all the same (by the other of two calls) is what was asked for.
    if (!(error instanceof MountError)) throw error;
    if (!(await isMounted(host, { source, deviceNumber, target, readonly: isReadonly(mountOptions) }))) throw error;
  }
}

interface Wanted {
  readonly source: string;
  readonly deviceNumber: string;
  readonly target: string;
  readonly readonly: boolean;
}

async function isMounted(host: Host, { source, deviceNumber, target, readonly }: Wanted): Promise<boolean> {
  const [top] = (await MountTable.read(host)).stackAt(target);
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

function isReadonly(options: readonly string[]): boolean {
  return (
    options.flatMap((option) => option.split(",")).findLast((option) => option === "ro" || option === "rw") === "ro"
  );
}

function withNouuid(fsType: string, options: readonly string[]): readonly string[] {
  return fsType !== "xfs" || options.includes("nouuid") ? options : [...options, "nouuid"];
}
