import type { RpcMethod } from "./gen/rpcs.ts";
import type { LogLevel } from "./logger.ts";

/** What the framework knows about one RPC beyond the proto. Fields are named as the proto names them. */
export interface MethodFacts {
  /** Fields that must be set; an empty string or list counts as not set. */
  readonly required: readonly string[];
  /** Fields that must be set in the answer, or in each message of a stream. */
  readonly answers: readonly string[];
  /** Fields whose values the call locks, with the kind of object each one names. Empty for RPCs that change nothing. */
  readonly locks: Readonly<Record<string, string>>;
  /** The level at which the call is logged. */
  readonly logLevel: LogLevel;
  /** RPCs without which this one is of no use; a driver that offers it must offer them, too. */
  readonly needs: readonly RpcMethod[];
}

/** What a CSI string, map, list of flags, path and node id may hold, in bytes of UTF-8 (CSI "Size Limits"). */
export const SIZE_LIMITS = { string: 128, map: 4096, flags: 4096, path: 4096, nodeId: 256 } as const;

/** Paths follow the operating system's limit instead of CSI's: kubelet's own are longer than 128 bytes. */
export const PATH_FIELDS: readonly string[] = [
  "staging_target_path",
  "target_path",
  "volume_path",
  "volume_publish_path",
];

/** Paths at which a driver makes or removes something. The others only point at what is there, and may be relative. */
export const ABSOLUTE_PATH_FIELDS: readonly string[] = ["staging_target_path", "target_path"];

const VOLUME = { volume_id: "volume" };
const STAGED = { volume_id: "volume", staging_target_path: "path" };
const PUBLISHED = { volume_id: "volume", target_path: "path" };
const SNAPSHOT = { snapshot_id: "snapshot" };
const GROUP = { group_snapshot_id: "group snapshot", snapshot_ids: "snapshot" };

const quiet = facts({ logLevel: "debug" });
const reads = (...required: string[]): MethodFacts => facts({ required });
const changes = (locks: MethodFacts["locks"], required: readonly string[], ...needs: RpcMethod[]): MethodFacts =>
  facts({ required, locks, needs });

/** The facts of all 36 RPCs. */
export const METHODS: Readonly<Record<RpcMethod, MethodFacts>> = {
  getPluginInfo: answering(quiet, "name", "vendor_version"),
  getPluginCapabilities: quiet,
  probe: quiet,

  createVolume: answering(
    changes({ name: "volume name" }, ["name", "volume_capabilities"], "deleteVolume", "validateVolumeCapabilities"),
    "volume",
  ),
  deleteVolume: changes(VOLUME, ["volume_id"], "createVolume"),
  controllerPublishVolume: changes(VOLUME, ["volume_id", "node_id", "volume_capability"], "controllerUnpublishVolume"),
  controllerUnpublishVolume: changes(VOLUME, ["volume_id"], "controllerPublishVolume"),
  validateVolumeCapabilities: reads("volume_id", "volume_capabilities"),
  listVolumes: reads(),
  controllerListVolumeHealth: reads(),
  controllerGetVolumeHealth: answering(reads("volume_id"), "volume_health"),
  getCapacity: reads(),
  controllerGetCapabilities: quiet,
  createSnapshot: answering(
    changes({ name: "snapshot name", source_volume_id: "volume" }, ["source_volume_id", "name"], "deleteSnapshot"),
    "snapshot",
  ),
  deleteSnapshot: changes(SNAPSHOT, ["snapshot_id"], "createSnapshot"),
  listSnapshots: reads(),
  getSnapshot: answering(reads("snapshot_id"), "snapshot"),
  controllerExpandVolume: answering(changes(VOLUME, ["volume_id", "capacity_range"]), "capacity_bytes"),
  controllerGetVolume: answering(reads("volume_id"), "volume", "status"),
  // An empty map cannot be told from a missing one, and csi-sanity sends it to a volume that is NOT_FOUND.
  controllerModifyVolume: changes(VOLUME, ["volume_id"]),

  groupControllerGetCapabilities: quiet,
  createVolumeGroupSnapshot: answering(
    changes(
      { name: "group snapshot name", source_volume_ids: "volume" },
      ["name", "source_volume_ids"],
      "deleteVolumeGroupSnapshot",
      "getVolumeGroupSnapshot",
    ),
    "group_snapshot",
  ),
  deleteVolumeGroupSnapshot: changes(
    GROUP,
    ["group_snapshot_id"],
    "createVolumeGroupSnapshot",
    "getVolumeGroupSnapshot",
  ),
  getVolumeGroupSnapshot: answering(
    needing(reads("group_snapshot_id"), "createVolumeGroupSnapshot", "deleteVolumeGroupSnapshot"),
    "group_snapshot",
  ),

  getMetadataAllocated: answering(
    needing(reads("snapshot_id"), "getMetadataDelta"),
    "block_metadata_type",
    "volume_capacity_bytes",
  ),
  getMetadataDelta: answering(
    needing(reads("base_snapshot_id", "target_snapshot_id"), "getMetadataAllocated"),
    "block_metadata_type",
    "volume_capacity_bytes",
  ),

  nodeStageVolume: changes(STAGED, ["volume_id", "staging_target_path", "volume_capability"], "nodeUnstageVolume"),
  nodeUnstageVolume: changes(STAGED, ["volume_id", "staging_target_path"], "nodeStageVolume"),
  nodePublishVolume: changes(
    PUBLISHED,
    ["volume_id", "target_path", "volume_capability"],
    "nodeUnpublishVolume",
    "nodeGetInfo",
  ),
  nodeUnpublishVolume: changes(PUBLISHED, ["volume_id", "target_path"], "nodePublishVolume"),
  nodeGetVolumeStats: reads("volume_id", "volume_path"),
  nodeGetVolumeHealth: answering(reads("volume_id"), "volume_health"),
  nodeGetStorageHealth: reads(),
  nodeExpandVolume: changes(VOLUME, ["volume_id", "volume_path"]),
  nodeGetCapabilities: quiet,
  nodeGetInfo: answering(needing(reads(), "nodePublishVolume"), "node_id"),
};

function facts(some: Partial<MethodFacts>): MethodFacts {
  return { required: [], answers: [], locks: {}, logLevel: "info", needs: [], ...some };
}

function needing(method: MethodFacts, ...needs: RpcMethod[]): MethodFacts {
  return { ...method, needs };
}

function answering(method: MethodFacts, ...answers: string[]): MethodFacts {
  return { ...method, answers };
}
