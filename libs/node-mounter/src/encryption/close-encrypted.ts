import { FilesystemError } from "../filesystems/filesystem-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { findMapping, mappingName } from "./luks-mapping.ts";
import { CRYPTSETUP_EXIT, runCryptsetup } from "./run-cryptsetup.ts";

/**
 * Closes the container of a volume; not open: fine. Unmount first: throws FilesystemError `IN_USE`. Needs no living device.
 * Default deadline 60 s.
 */
export async function closeEncrypted(host: Host, volumeId: string, options: CallOptions = {}): Promise<void> {
  const { timeoutMs = 60_000, signal } = options;
  const mapping = await findMapping(host, volumeId);
  if (mapping === undefined) return;
  const { noDevice, busy } = CRYPTSETUP_EXIT;
  const args = ["close", mappingName(volumeId)];
  const { exitCode } = await runCryptsetup(host, args, { timeoutMs, signal, expected: [noDevice, busy] });
  if (exitCode !== busy) return;
  throw new FilesystemError(
    "IN_USE",
    `the encrypted volume "${volumeId}" is still in use as ${mapping.device}: unmount it first`,
  );
}
