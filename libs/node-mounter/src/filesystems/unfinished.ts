import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { Superblock } from "./superblock.ts";

/** e2fsck(8), EXIT CODE, with -n: errors that it would have corrected. */
const ERRORS_LEFT = 4;

/**
 * Whether a filesystem is an unfinished one that has never held data. Of an ext4 that was never mounted, its check tells.
 * Throws FilesystemError `PROBE_FAILED` when that cannot be done. Default deadline 600 s.
 */
export async function isUnfinished(
  host: Host,
  device: string,
  { progress }: Superblock,
  options: CallOptions,
): Promise<boolean> {
  if (progress !== "unused") return progress === "unfinished";
  const { timeoutMs = 600_000, signal } = options;
  const { exitCode, stdout, stderr } = await host.run("e2fsck", ["-f", "-n", device], { timeoutMs, signal });
  if (exitCode === 0) return false;
  if (exitCode === ERRORS_LEFT) return true;
  throw new FilesystemError(
    "PROBE_FAILED",
    `whether ext4 on ${device} was finished cannot be told (e2fsck -fn: ${exitCode}: ${`${stdout}${stderr}`.trim()}); nothing was changed: check the device and its connection`,
  );
}
