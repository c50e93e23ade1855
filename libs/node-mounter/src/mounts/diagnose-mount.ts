import type { CallOptions } from "../host/call-options.ts";
import { type Errno, errnoOf } from "../host/errno.ts";
import type { Host } from "../host/host.ts";
import { HostError } from "../host/host-error.ts";
import { isDeviceGone } from "./device-gone.ts";
import { canonicalPath, MountTable } from "./mount-table.ts";

/** What can be wrong with a mount. */
export const MOUNT_DEFECT_CODES = [
  /** Nothing is mounted there. */
  "NOT_MOUNTED",
  /** The block device below it is gone; what is cached may still be read, which looks healthy. */
  "DEVICE_GONE",
  /** The filesystem does not answer in time. */
  "NOT_ANSWERING",
  /** The filesystem answers with an error: it is shut down, stale, or its device fails. */
  "CORRUPTED",
  /** The filesystem has made itself read-only after an error. */
  "READ_ONLY",
] as const;

/** One of {@link MOUNT_DEFECT_CODES}. */
export type MountDefectCode = (typeof MOUNT_DEFECT_CODES)[number];

/** A mount that cannot be used as it should, and what to do about it. */
export interface MountDefect {
  readonly code: MountDefectCode;
  readonly what: string;
}

/** What a mount says that is no longer there (mount-utils calls these corrupted mounts). */
const CORRUPTED: ReadonlySet<Errno> = new Set(["ENOTCONN", "ESTALE", "EIO", "EACCES", "EHOSTDOWN", "ENODEV"]);

/**
 * What is wrong with the mount that is seen at `target`; undefined when nothing is. Asks the filesystem in a child
 * process, because its device may be dead. Default deadline 5 s.
 */
export async function diagnoseMount(
  host: Host,
  target: string,
  { timeoutMs = 5000, signal }: CallOptions = {},
): Promise<MountDefect | undefined> {
  const path = await canonicalPath(host, target);
  const [mount] = (await MountTable.read(host)).stackAt(path);
  if (mount === undefined) return { code: "NOT_MOUNTED", what: `nothing is mounted on ${path}: stage the volume` };
  if (await isDeviceGone(host, mount)) {
    return {
      code: "DEVICE_GONE",
      what: `the device ${mount.source} (${mount.deviceNumber}) of ${path} is gone: end the pod that uses it, unstage the volume and stage it again`,
    };
  }
  if (mount.superOptions.some((option) => option === "shutdown" || option === "emergency_ro"))
    return { code: "CORRUPTED", what: `the filesystem on ${path} is shut down: unstage the volume and stage it again` };
  if (mount.options.includes("rw") && mount.superOptions.includes("ro")) {
    return {
      code: "READ_ONLY",
      what: `the filesystem on ${path} has made itself read-only after an error: unstage the volume, which checks it when it is staged again`,
    };
  }
  return askFilesystem(host, path, { timeoutMs, signal });
}

async function askFilesystem(host: Host, path: string, options: CallOptions): Promise<MountDefect | undefined> {
  try {
    const { exitCode, stderr } = await host.run("stat", ["-L", "-c", "%i", "--", path], options);
    const errno = errnoOf(stderr);
    if (exitCode === 0 || errno === undefined || !CORRUPTED.has(errno)) return undefined;
    return { code: "CORRUPTED", what: `${path} answers ${errno}: unstage the volume and stage it again` };
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== "TIMEOUT") throw error;
    return {
      code: "NOT_ANSWERING",
      what: `${path} did not answer within ${options.timeoutMs} ms: see the session with its target`,
    };
  }
}
