import type {
  CapacityRange,
  Snapshot as CsiSnapshot,
  Volume as CsiVolume,
  DeepPartial,
  Topology,
  VolumeContentSource,
} from "@org/csi-framework";

import { DriverError } from "../driver-error.ts";
import type { VolumeParameters } from "../parameters.ts";
import { CONTENT_SOURCE } from "../plugin.ts";
import type { Snapshot } from "../snapshots/snapshot.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import type { SizeRange } from "../volumes/capacity.ts";
import type { VolumeSource } from "../volumes/volume-source.ts";

/** Reads a CapacityRange. */
export function toRange(range: CapacityRange | undefined): SizeRange | undefined {
  return range && { requiredBytes: range.requiredBytes, limitBytes: range.limitBytes };
}

/** Reads a VolumeContentSource. */
export function toSource(source: VolumeContentSource | undefined): VolumeSource | undefined {
  if (source === undefined) return undefined;
  if (source.type?.$case === "snapshot") return { kind: "snapshot", id: source.type.value.snapshotId };
  if (source.type?.$case === "volume") return { kind: "volume", id: source.type.value.volumeId };
  throw new DriverError("INVALID", "volume_content_source names neither a snapshot nor a volume");
}

/** Writes a volume as lists and gets show it. */
export function toCsiVolume(id: string, { sizeBytes }: Lvol, target: Target): DeepPartial<CsiVolume> {
  return { volumeId: id, capacityBytes: sizeBytes, accessibleTopology: accessibleTopology(target) };
}

/** From where a target's volumes are reached; empty: from everywhere. */
function accessibleTopology({ config: { topology } }: Target): Topology[] {
  return Object.keys(topology).length === 0 ? [] : [{ segments: { ...topology } }];
}

/** What later calls need and SPDK does not store. */
export function volumeContext(
  target: Target,
  { uuid }: Lvol,
  { fsType, encryption }: VolumeParameters,
  source: VolumeSource | undefined,
): Record<string, string> {
  return {
    targetType: target.config.targetType,
    model: uuid,
    ...(fsType !== undefined && { fsType }),
    ...(encryption !== undefined && { encryption }),
    ...(source !== undefined && { [CONTENT_SOURCE]: source.kind }),
  };
}

/** Writes a snapshot. */
export function toCsiSnapshot({ id, lvol, sourceVolumeId, createdAt }: Snapshot): DeepPartial<CsiSnapshot> {
  return {
    snapshotId: id,
    sourceVolumeId: sourceVolumeId,
    sizeBytes: lvol.sizeBytes,
    creationTime: createdAt,
    readyToUse: true,
  };
}
