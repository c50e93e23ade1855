import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { findMounts } from "../mounts/mount-table.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { FilesystemType } from "./filesystem-type.ts";

/** A mounted filesystem to be grown. */
export interface GrowRequest {
  readonly device: string;
  readonly type: FilesystemType;
  /** Where it is mounted. */
  readonly mountPath: string;
}

/**
 * Grows a mounted filesystem to the size of its device; as large already: fine. One that is mounted read-only is left as
 * it is. Throws FilesystemError `NOT_MOUNTED` or `GROW_FAILED`. Never killed; default deadline 300 s.
 */
export async function growFilesystem(host: Host, request: GrowRequest, options: CallOptions = {}): Promise<void> {
  const { timeoutMs = 300_000, signal } = options;
  const { device, type, mountPath } = request;
  const [mount] = await findMounts(host, { target: mountPath });
  const node = await host.files.lstat(device);
  if (mount === undefined || node === undefined || mount.deviceNumber !== node.deviceNumber) {
    throw new FilesystemError("NOT_MOUNTED", `${device} is not mounted on ${mountPath}: stage the volume first`);
  }
  if (mount.superOptions.includes("ro") || mount.options.includes("ro")) return;
  const command = type === "ext4" ? "resize2fs" : "xfs_growfs";
  const args = type === "ext4" ? [device] : ["-d", mountPath];
  const { exitCode, stdout, stderr } = await host.run(command, args, { timeoutMs, signal, onTimeout: "leave" });
  if (exitCode === 0) return;
  const said = `${stdout}${stderr}`.trim();
  throw new FilesystemError(
    "GROW_FAILED",
    `${command} of ${device} on ${mountPath} failed with exit code ${exitCode}: ${said}`,
  );
}
