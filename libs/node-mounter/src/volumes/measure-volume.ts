import { blockDeviceSize } from "../block-devices/block-device.ts";
import { FILESYSTEM_TYPES } from "../filesystems/filesystem-type.ts";
import { type VolumeStats, volumeStats } from "../filesystems/volume-stats.ts";
import type { CallOptions } from "../host/call-options.ts";
import { getStaged, getVolumeDevice, mountOf } from "./staged-device.ts";
import type { VolumeParts } from "./volume-parts.ts";

/** How large a volume is and, where it has a filesystem, how full. */
export type VolumeUsage =
  | ({ readonly kind: "filesystem" } & VolumeStats)
  | { readonly kind: "block"; readonly sizeBytes: bigint };

/**
 * Measures a volume where it is staged or published (CSI NodeGetVolumeStats). Throws VolumeError `NOT_FOUND` when it is
 * not there, FilesystemError `DEVICE_GONE` or `STATS_FAILED`, or HostError `TIMEOUT` after 10 s by default.
 */
export async function measureVolume<Connection extends object>(
  parts: VolumeParts<Connection>,
  request: { readonly volumeId: string; readonly volumePath: string },
  options: CallOptions = {},
): Promise<VolumeUsage> {
  const staged = await getStaged(parts, request.volumeId);
  const mount = await mountOf(parts, request);
  if (FILESYSTEM_TYPES.some((type) => type === mount.fsType))
    return { kind: "filesystem", ...(await volumeStats(parts.host, request.volumePath, options)) };
  return { kind: "block", sizeBytes: await blockDeviceSize(parts.host, await getVolumeDevice(parts, staged, options)) };
}
