import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { MountError } from "./mount-error.ts";
import { mergeMountOptions } from "./mount-options.ts";
import { canonicalPath, type Location, MountTable } from "./mount-table.ts";
import { ensureTarget, runMount } from "./mount-target.ts";
import { removeDeadMounts } from "./remove-mount.ts";

/** A directory or file (also a device node) to be shown at a second place. */
export interface BindMount {
  readonly source: string;
  /** Made if missing, its parents too (0750). */
  readonly target: string;
  readonly kind: "directory" | "file";
  readonly readonly: boolean;
  /** Further per-mount options, such as "noexec". Default none. */
  readonly options?: readonly string[];
  /**
   * Whether the caller knows that an earlier call of its own for this target was not seen to end. A bind is made in two
   * steps, and one that still lacks `ro` is then completed instead of refused. Default false.
   */
  readonly resume?: boolean;
}

/**
 * Bind mounts. The same source there already: fine; with another `readonly`: MountError `MISMATCH`; something else
 * there: `TARGET_BUSY`. A bind of its own that it cannot make read-only is removed again. Default deadline 60 s.
 */
export async function ensureBindMounted(host: Host, mount: BindMount, options: CallOptions = {}): Promise<void> {
  const { timeoutMs = 60_000, signal } = options;
  const source = await canonicalPath(host, mount.source);
  const target = await canonicalPath(host, mount.target);
  const flags = mergeMountOptions(mount.readonly ? ["ro"] : [], mount.options ?? []);
  const table = await removeDeadMounts(host, target, { timeoutMs, signal });
  await requireSource(host, table, source);
  const bound = isBound(table, { mount, target, wanted: table.locate(source) });
  if (!bound) {
    await ensureTarget(host, target, mount.kind);
    await runMount(host, ["mount", "--bind", source, target], { timeoutMs, signal });
  }
  try {
    await completeFlags(host, { target, flags }, { timeoutMs, signal });
  } catch (error) {
    // Not with the caller's signal: it may be what ended the remount.
    if (!bound) await runMount(host, ["umount", "-c", target], { timeoutMs });
    throw error;
  }
}

interface Flags {
  readonly target: string;
  readonly flags: readonly string[];
}

/** A remount replaces all flags of the mount, so those it has from its source (nosuid, noatime, …) are named again. */
async function completeFlags(host: Host, { target, flags }: Flags, limits: CallOptions): Promise<void> {
  const [top] = (await MountTable.read(host)).stackAt(target);
  const has = top?.options ?? [];
  if (flags.every((flag) => has.includes(flag))) return;
  const kept = has.filter((flag) => flag !== "rw" && !flags.includes(flag));
  await runMount(host, ["mount", "-o", ["remount", "bind", ...kept, ...flags].join(","), target], limits);
}

async function requireSource(host: Host, table: MountTable, source: string): Promise<void> {
  // A mount point is no symlink; and it is not looked at, since its device may be dead.
  if (table.stackAt(source).length > 0) return;
  const found = await host.files.lstat(source);
  if (found === undefined) throw new MountError("SOURCE_MISSING", `${source} does not exist: stage the volume again`);
  if (found.kind === "symlink") {
    throw new MountError(
      "SYMLINK",
      `source ${source} is a symlink, which may lead elsewhere tomorrow: give the path itself`,
    );
  }
}

interface Bound {
  readonly mount: BindMount;
  readonly target: string;
  readonly wanted: Location | undefined;
}

function isBound(table: MountTable, { mount, target, wanted }: Bound): boolean {
  const [top] = table.stackAt(target);
  if (top === undefined) return false;
  if (top.deviceNumber !== wanted?.deviceNumber || top.root !== wanted.path || top.isDeleted) {
    throw new MountError(
      "TARGET_BUSY",
      `${target} has ${top.source} (${top.root}) mounted, not ${mount.source}: unmount it first`,
    );
  }
  const isReadonly = top.options.includes("ro");
  if (mount.readonly && !isReadonly && mount.resume !== true) {
    throw new MountError(
      "MISMATCH",
      `${mount.source} is bound read-write to ${target}, read-only is asked: unmount it first`,
    );
  }
  if (!mount.readonly && isReadonly && !inheritsReadonly(table, mount.source)) {
    throw new MountError(
      "MISMATCH",
      `${mount.source} is bound read-only to ${target}, read-write is asked: unmount it first`,
    );
  }
  return true;
}

/** A bind of a read-only mount is read-only, whatever was asked. */
function inheritsReadonly(table: MountTable, source: string): boolean {
  return table.stackAt(source)[0]?.options.includes("ro") === true;
}
