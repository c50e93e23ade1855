/** What a driver offers beyond what its methods show. Every field is off unless set. */
export interface Features {
  /** Volumes can grow: "online" also while published, "offline" only while not (PluginCapability.VolumeExpansion). */
  readonly volumeExpansion?: "online" | "offline";
  /** SINGLE_NODE_SINGLE_WRITER and SINGLE_NODE_MULTI_WRITER are told apart (SINGLE_NODE_MULTI_WRITER). */
  readonly singleNodeMultiWriter?: boolean;
  /** controllerPublishVolume heeds `readonly` (PUBLISH_READONLY). */
  readonly publishReadonly?: boolean;
  /** Not every node reaches every volume: topologies are given and heeded (VOLUME_ACCESSIBILITY_CONSTRAINTS). */
  readonly topology?: boolean;
  /** The same for snapshots (SNAPSHOT_ACCESSIBILITY_CONSTRAINTS). */
  readonly snapshotTopology?: boolean;
  /** nodeStageVolume and nodePublishVolume heed `volume_mount_group` (VOLUME_MOUNT_GROUP). */
  readonly volumeMountGroup?: boolean;
  /** listVolumes, and controllerGetVolume where offered, report the nodes of each volume (LIST_VOLUMES_PUBLISHED_NODES). */
  readonly publishedNodes?: boolean;
  /** createVolume accepts another volume as its content source (CLONE_VOLUME). */
  readonly cloneVolume?: boolean;
}
