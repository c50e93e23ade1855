/** What the framework knows about one message beyond the proto, wherever it occurs. Fields are named as in the proto. */
export interface MessageFacts {
  /** Fields that must be set; an empty string, list or map and an enum's zero count as not set. */
  readonly required?: readonly string[];
  /** Fields of which one must be set. */
  readonly oneOf?: readonly string[];
  /** A pair of sizes: unless it is zero, the second must not be below the first. */
  readonly atMost?: readonly [lower: string, upper: string];
}

/** The facts of the messages inside requests and answers; those that say nothing are left out. */
export const MESSAGES: Readonly<Record<string, MessageFacts>> = {
  VolumeCapability: { required: ["access_mode"], oneOf: ["block", "mount"] },
  "VolumeCapability.AccessMode": { required: ["mode"] },
  VolumeContentSource: { oneOf: ["snapshot", "volume"] },
  "VolumeContentSource.SnapshotSource": { required: ["snapshot_id"] },
  "VolumeContentSource.VolumeSource": { required: ["volume_id"] },
  CapacityRange: { atMost: ["required_bytes", "limit_bytes"] },

  PluginCapability: { oneOf: ["service", "volume_expansion"] },
  "PluginCapability.Service": { required: ["type"] },
  "PluginCapability.VolumeExpansion": { required: ["type"] },
  ControllerServiceCapability: { required: ["rpc"] },
  "ControllerServiceCapability.RPC": { required: ["type"] },
  GroupControllerServiceCapability: { required: ["rpc"] },
  "GroupControllerServiceCapability.RPC": { required: ["type"] },
  NodeServiceCapability: { required: ["rpc"] },
  "NodeServiceCapability.RPC": { required: ["type"] },

  Volume: { required: ["volume_id"] },
  "ListVolumesResponse.Entry": { required: ["volume"] },
  Snapshot: { required: ["snapshot_id", "source_volume_id", "creation_time"] },
  "ListSnapshotsResponse.Entry": { required: ["snapshot"] },
  VolumeGroupSnapshot: { required: ["group_snapshot_id", "creation_time"] },
  "ValidateVolumeCapabilitiesResponse.Confirmed": { required: ["volume_capabilities"] },
  VolumeUsage: { required: ["unit"] },
  VolumeHealth: { required: ["volume_id"] },
  "VolumeHealth.VolumeHealthEntry": { required: ["status"] },
  "NodeGetStorageHealthResponse.StorageBackendHealth": { required: ["status"] },
};
