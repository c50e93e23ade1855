import type { CallContext } from "./call-context.ts";
import {
  controllerCapabilities,
  groupControllerCapabilities,
  nodeCapabilities,
  pluginCapabilities,
} from "./capabilities.ts";
import type { Features } from "./features.ts";
import type {
  ControllerExpandVolumeRequest,
  ControllerExpandVolumeResponse,
  ControllerGetCapabilitiesRequest,
  ControllerGetCapabilitiesResponse,
  ControllerGetVolumeHealthRequest,
  ControllerGetVolumeHealthResponse,
  ControllerGetVolumeRequest,
  ControllerGetVolumeResponse,
  ControllerListVolumeHealthRequest,
  ControllerListVolumeHealthResponse,
  ControllerModifyVolumeRequest,
  ControllerModifyVolumeResponse,
  ControllerPublishVolumeRequest,
  ControllerPublishVolumeResponse,
  ControllerUnpublishVolumeRequest,
  ControllerUnpublishVolumeResponse,
  CreateSnapshotRequest,
  CreateSnapshotResponse,
  CreateVolumeGroupSnapshotRequest,
  CreateVolumeGroupSnapshotResponse,
  CreateVolumeRequest,
  CreateVolumeResponse,
  DeepPartial,
  DeleteSnapshotRequest,
  DeleteSnapshotResponse,
  DeleteVolumeGroupSnapshotRequest,
  DeleteVolumeGroupSnapshotResponse,
  DeleteVolumeRequest,
  DeleteVolumeResponse,
  GetCapacityRequest,
  GetCapacityResponse,
  GetMetadataAllocatedRequest,
  GetMetadataAllocatedResponse,
  GetMetadataDeltaRequest,
  GetMetadataDeltaResponse,
  GetPluginCapabilitiesRequest,
  GetPluginCapabilitiesResponse,
  GetPluginInfoRequest,
  GetPluginInfoResponse,
  GetSnapshotRequest,
  GetSnapshotResponse,
  GetVolumeGroupSnapshotRequest,
  GetVolumeGroupSnapshotResponse,
  GroupControllerGetCapabilitiesRequest,
  GroupControllerGetCapabilitiesResponse,
  ListSnapshotsRequest,
  ListSnapshotsResponse,
  ListVolumesRequest,
  ListVolumesResponse,
  NodeExpandVolumeRequest,
  NodeExpandVolumeResponse,
  NodeGetCapabilitiesRequest,
  NodeGetCapabilitiesResponse,
  NodeGetInfoRequest,
  NodeGetInfoResponse,
  NodeGetStorageHealthRequest,
  NodeGetStorageHealthResponse,
  NodeGetVolumeHealthRequest,
  NodeGetVolumeHealthResponse,
  NodeGetVolumeStatsRequest,
  NodeGetVolumeStatsResponse,
  NodePublishVolumeRequest,
  NodePublishVolumeResponse,
  NodeStageVolumeRequest,
  NodeStageVolumeResponse,
  NodeUnpublishVolumeRequest,
  NodeUnpublishVolumeResponse,
  NodeUnstageVolumeRequest,
  NodeUnstageVolumeResponse,
  ProbeRequest,
  ProbeResponse,
  ValidateVolumeCapabilitiesRequest,
  ValidateVolumeCapabilitiesResponse,
} from "./gen/csi.ts";

/** A driver's name and version, as GetPluginInfo returns them. */
export interface PluginInfo {
  /** Domain-name notation, at most 63 characters; it names the driver in a StorageClass. */
  readonly name: string;
  readonly vendorVersion: string;
  readonly manifest?: Readonly<Record<string, string>>;
}

/** The result of an RPC: fields left out have the default of their type. */
export type Answer<Response> = Promise<DeepPartial<Response>>;

/**
 * A CSI plugin, or a part of one. A driver extends it and overrides the RPCs that it offers; the others answer
 * UNIMPLEMENTED. What is advertised follows from the overrides and from `features`. Before a method runs, its request has
 * been validated and its locks are taken; a CsiError thrown from it becomes the call's status, anything else INTERNAL.
 */
export abstract class CsiDriver {
  abstract readonly pluginInfo: PluginInfo;

  readonly features: Features = {};

  /** Returns the plugin's name and version. Derived; rarely worth overriding. */
  getPluginInfo(_request: GetPluginInfoRequest, _context: CallContext): Answer<GetPluginInfoResponse> {
    const { name, vendorVersion, manifest = {} } = this.pluginInfo;
    return Promise.resolve({ name, vendorVersion, manifest: { ...manifest } });
  }

  /** Returns the services and properties of the plugin as a whole. Derived; rarely worth overriding. */
  getPluginCapabilities(
    _request: GetPluginCapabilitiesRequest,
    _context: CallContext,
  ): Answer<GetPluginCapabilitiesResponse> {
    return Promise.resolve({ capabilities: pluginCapabilities([this]) });
  }

  /** Tells whether the plugin can serve calls. Without it the plugin is ready as soon as it serves. */
  probe?(request: ProbeRequest, context: CallContext): Answer<ProbeResponse>;

  /** Makes a volume, or returns the one already made under this name. */
  createVolume?(request: CreateVolumeRequest, context: CallContext): Answer<CreateVolumeResponse>;

  /** Removes a volume; an unknown one counts as removed. */
  deleteVolume?(request: DeleteVolumeRequest, context: CallContext): Answer<DeleteVolumeResponse>;

  /** Makes a volume reachable from one node. */
  controllerPublishVolume?(
    request: ControllerPublishVolumeRequest,
    context: CallContext,
  ): Answer<ControllerPublishVolumeResponse>;

  /** Ends a volume's reachability from one node, or from all when no node is named. */
  controllerUnpublishVolume?(
    request: ControllerUnpublishVolumeRequest,
    context: CallContext,
  ): Answer<ControllerUnpublishVolumeResponse>;

  /** Confirms that an existing volume can be used in the asked ways. */
  validateVolumeCapabilities?(
    request: ValidateVolumeCapabilitiesRequest,
    context: CallContext,
  ): Answer<ValidateVolumeCapabilitiesResponse>;

  /** Lists the volumes that the plugin knows, page by page. */
  listVolumes?(request: ListVolumesRequest, context: CallContext): Answer<ListVolumesResponse>;

  /** Lists the volumes that are in bad health, page by page. */
  controllerListVolumeHealth?(
    request: ControllerListVolumeHealthRequest,
    context: CallContext,
  ): Answer<ControllerListVolumeHealthResponse>;

  /** Reports the health of one volume as the storage sees it. */
  controllerGetVolumeHealth?(
    request: ControllerGetVolumeHealthRequest,
    context: CallContext,
  ): Answer<ControllerGetVolumeHealthResponse>;

  /** Reports how much can still be provisioned. */
  getCapacity?(request: GetCapacityRequest, context: CallContext): Answer<GetCapacityResponse>;

  /** Returns what the controller service offers. Derived; rarely worth overriding. */
  controllerGetCapabilities(
    _request: ControllerGetCapabilitiesRequest,
    _context: CallContext,
  ): Answer<ControllerGetCapabilitiesResponse> {
    return Promise.resolve({ capabilities: controllerCapabilities([this]) });
  }

  /** Takes a snapshot of a volume, or returns the one already taken under this name. */
  createSnapshot?(request: CreateSnapshotRequest, context: CallContext): Answer<CreateSnapshotResponse>;

  /** Removes a snapshot; an unknown one counts as removed. */
  deleteSnapshot?(request: DeleteSnapshotRequest, context: CallContext): Answer<DeleteSnapshotResponse>;

  /** Lists snapshots, page by page, optionally of one volume or by one id. */
  listSnapshots?(request: ListSnapshotsRequest, context: CallContext): Answer<ListSnapshotsResponse>;

  /** Returns one snapshot. */
  getSnapshot?(request: GetSnapshotRequest, context: CallContext): Answer<GetSnapshotResponse>;

  /** Grows a volume on the storage side. */
  controllerExpandVolume?(
    request: ControllerExpandVolumeRequest,
    context: CallContext,
  ): Answer<ControllerExpandVolumeResponse>;

  /** Returns one volume and its status. */
  controllerGetVolume?(request: ControllerGetVolumeRequest, context: CallContext): Answer<ControllerGetVolumeResponse>;

  /** Changes the mutable parameters of a volume: all of them or none. */
  controllerModifyVolume?(
    request: ControllerModifyVolumeRequest,
    context: CallContext,
  ): Answer<ControllerModifyVolumeResponse>;

  /** Returns what the group controller service offers. Derived; rarely worth overriding. */
  groupControllerGetCapabilities(
    _request: GroupControllerGetCapabilitiesRequest,
    _context: CallContext,
  ): Answer<GroupControllerGetCapabilitiesResponse> {
    return Promise.resolve({ capabilities: groupControllerCapabilities([this]) });
  }

  /** Takes snapshots of several volumes at one moment. */
  createVolumeGroupSnapshot?(
    request: CreateVolumeGroupSnapshotRequest,
    context: CallContext,
  ): Answer<CreateVolumeGroupSnapshotResponse>;

  /** Removes a group snapshot and its members. */
  deleteVolumeGroupSnapshot?(
    request: DeleteVolumeGroupSnapshotRequest,
    context: CallContext,
  ): Answer<DeleteVolumeGroupSnapshotResponse>;

  /** Returns one group snapshot. */
  getVolumeGroupSnapshot?(
    request: GetVolumeGroupSnapshotRequest,
    context: CallContext,
  ): Answer<GetVolumeGroupSnapshotResponse>;

  /** Streams the allocated ranges of a snapshot. */
  getMetadataAllocated?(
    request: GetMetadataAllocatedRequest,
    context: CallContext,
  ): AsyncIterable<DeepPartial<GetMetadataAllocatedResponse>>;

  /** Streams the ranges that differ between two snapshots of one volume. */
  getMetadataDelta?(
    request: GetMetadataDeltaRequest,
    context: CallContext,
  ): AsyncIterable<DeepPartial<GetMetadataDeltaResponse>>;

  /** Prepares a volume once per node, in the staging path. */
  nodeStageVolume?(request: NodeStageVolumeRequest, context: CallContext): Answer<NodeStageVolumeResponse>;

  /** Undoes the staging of a volume. */
  nodeUnstageVolume?(request: NodeUnstageVolumeRequest, context: CallContext): Answer<NodeUnstageVolumeResponse>;

  /** Puts a volume at the path of one workload. */
  nodePublishVolume?(request: NodePublishVolumeRequest, context: CallContext): Answer<NodePublishVolumeResponse>;

  /** Takes a volume from the path of one workload. */
  nodeUnpublishVolume?(request: NodeUnpublishVolumeRequest, context: CallContext): Answer<NodeUnpublishVolumeResponse>;

  /** Reports the usage of a published volume. */
  nodeGetVolumeStats?(request: NodeGetVolumeStatsRequest, context: CallContext): Answer<NodeGetVolumeStatsResponse>;

  /** Reports the health of a volume as the node sees it. */
  nodeGetVolumeHealth?(request: NodeGetVolumeHealthRequest, context: CallContext): Answer<NodeGetVolumeHealthResponse>;

  /** Reports the health of the storage backends as the node sees them. */
  nodeGetStorageHealth?(
    request: NodeGetStorageHealthRequest,
    context: CallContext,
  ): Answer<NodeGetStorageHealthResponse>;

  /** Grows the file system or device on the node after the storage has grown. */
  nodeExpandVolume?(request: NodeExpandVolumeRequest, context: CallContext): Answer<NodeExpandVolumeResponse>;

  /** Returns what the node service offers. Derived; rarely worth overriding. */
  nodeGetCapabilities(
    _request: NodeGetCapabilitiesRequest,
    _context: CallContext,
  ): Answer<NodeGetCapabilitiesResponse> {
    return Promise.resolve({ capabilities: nodeCapabilities([this]) });
  }

  /** Returns the node's id, volume limit and topology. */
  nodeGetInfo?(request: NodeGetInfoRequest, context: CallContext): Answer<NodeGetInfoResponse>;
}

/** The drivers that together make one plugin. */
export type Drivers = readonly CsiDriver[];
