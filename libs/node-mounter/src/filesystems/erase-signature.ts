import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { FilesystemError } from "./filesystem-error.ts";

/**
 * Erases the signature of one type, as blkid names it, and nothing else: for the remnant of a format of ours, proven to
 * be that, so that what formats again needs no force. wipefs refuses a device in use. Throws FilesystemError
 * `FORMAT_FAILED`. Default deadline 60 s.
 */
export async function eraseSignature(host: Host, device: string, type: string, options: CallOptions): Promise<void> {
  const { timeoutMs = 60_000, signal } = options;
  const { exitCode, stderr } = await host.run("wipefs", ["--all", "--types", type, device], { timeoutMs, signal });
  if (exitCode === 0) return;
  throw new FilesystemError(
    "FORMAT_FAILED",
    `erasing the unfinished ${type} on ${device} failed with exit code ${exitCode}: ${stderr.trim()}; the call may be repeated`,
  );
}
