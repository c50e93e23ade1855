import { FilesystemError } from "../filesystems/filesystem-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { findMapping, mappingName } from "./luks-mapping.ts";
import { runCryptsetup } from "./run-cryptsetup.ts";

/**
 * Makes what an open container shows as large as its device allows; needs no key. Throws FilesystemError `NOT_MOUNTED`
 * when it is not open, or `ENCRYPTION_FAILED`. Default deadline 60 s.
 */
export async function resizeEncrypted(host: Host, volumeId: string, options: CallOptions = {}): Promise<void> {
  const { timeoutMs = 60_000, signal } = options;
  if ((await findMapping(host, volumeId)) === undefined) {
    throw new FilesystemError("NOT_MOUNTED", `the encrypted volume "${volumeId}" is not open: stage it first`);
  }
  await runCryptsetup(host, ["resize", mappingName(volumeId)], { timeoutMs, signal });
}
