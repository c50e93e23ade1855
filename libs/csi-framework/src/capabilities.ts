import type { Features } from "./features.ts";
import {
  ControllerServiceCapability_RPC_Type as ControllerRpc,
  type ControllerServiceCapability,
  PluginCapability_VolumeExpansion_Type as Expansion,
  GroupControllerServiceCapability_RPC_Type as GroupControllerRpc,
  type GroupControllerServiceCapability,
  NodeServiceCapability_RPC_Type as NodeRpc,
  type NodeServiceCapability,
  type PluginCapability,
  PluginCapability_Service_Type as PluginService,
} from "./gen/csi.ts";
import { RPCS, type RpcMethod, type ServiceName } from "./gen/rpcs.ts";

/** What of a driver says what it can do: the methods that it has, and its features. */
export type Offering = { readonly features: Features } & { readonly [Rpc in RpcMethod]?: unknown };

/** What makes one plugin together. */
type Offerings = readonly Offering[];

/** The RPCs that every driver has because the framework derives their answers. */
export const DERIVED: readonly RpcMethod[] = [
  "getPluginInfo",
  "getPluginCapabilities",
  "controllerGetCapabilities",
  "nodeGetCapabilities",
  "groupControllerGetCapabilities",
];

/** Whether one of the drivers implements `method`; a derived default does not count. */
export function offers(drivers: Offerings, method: RpcMethod): boolean {
  return drivers.some((driver) => driver[method] !== undefined) && !DERIVED.includes(method);
}

/** Whether one of the drivers implements an RPC of `service`. */
export function offersService(drivers: Offerings, service: ServiceName): boolean {
  return rpcMethods().some((method) => RPCS[method].service === service && offers(drivers, method));
}

/** What GetPluginCapabilities answers for the drivers together. */
export function pluginCapabilities(drivers: Offerings): PluginCapability[] {
  const services = [
    offersService(drivers, "Controller") && PluginService.CONTROLLER_SERVICE,
    hasFeature(drivers, "topology") && PluginService.VOLUME_ACCESSIBILITY_CONSTRAINTS,
    offersService(drivers, "GroupController") && PluginService.GROUP_CONTROLLER_SERVICE,
    offersService(drivers, "SnapshotMetadata") && PluginService.SNAPSHOT_METADATA_SERVICE,
    hasFeature(drivers, "snapshotTopology") && PluginService.SNAPSHOT_ACCESSIBILITY_CONSTRAINTS,
  ];
  const expansion = drivers.map((driver) => driver.features.volumeExpansion).find((when) => when !== undefined);
  return [
    ...present(services).map((type): PluginCapability => ({ type: { $case: "service", value: { type } } })),
    ...(expansion === undefined ? [] : [volumeExpansion(expansion)]),
  ];
}

/** What ControllerGetCapabilities answers for the drivers together. */
export function controllerCapabilities(drivers: Offerings): ControllerServiceCapability[] {
  const has = (method: RpcMethod) => offers(drivers, method);
  const feature = (name: keyof Features) => hasFeature(drivers, name);
  return present([
    has("createVolume") && ControllerRpc.CREATE_DELETE_VOLUME,
    has("controllerPublishVolume") && ControllerRpc.PUBLISH_UNPUBLISH_VOLUME,
    has("listVolumes") && ControllerRpc.LIST_VOLUMES,
    has("getCapacity") && ControllerRpc.GET_CAPACITY,
    has("createSnapshot") && ControllerRpc.CREATE_DELETE_SNAPSHOT,
    has("listSnapshots") && ControllerRpc.LIST_SNAPSHOTS,
    feature("cloneVolume") && ControllerRpc.CLONE_VOLUME,
    feature("publishReadonly") && ControllerRpc.PUBLISH_READONLY,
    has("controllerExpandVolume") && ControllerRpc.EXPAND_VOLUME,
    feature("publishedNodes") && ControllerRpc.LIST_VOLUMES_PUBLISHED_NODES,
    has("controllerGetVolume") && ControllerRpc.GET_VOLUME,
    feature("singleNodeMultiWriter") && offersService(drivers, "Controller") && ControllerRpc.SINGLE_NODE_MULTI_WRITER,
    has("controllerModifyVolume") && ControllerRpc.MODIFY_VOLUME,
    has("getSnapshot") && ControllerRpc.GET_SNAPSHOT,
    has("controllerGetVolumeHealth") && ControllerRpc.GET_VOLUME_HEALTH,
    has("controllerListVolumeHealth") && ControllerRpc.LIST_VOLUME_HEALTH,
  ]).map((type) => ({ type: { $case: "rpc", value: { type } } }));
}

/** What NodeGetCapabilities answers for the drivers together. */
export function nodeCapabilities(drivers: Offerings): NodeServiceCapability[] {
  const has = (method: RpcMethod) => offers(drivers, method);
  const feature = (name: keyof Features) => hasFeature(drivers, name) && offersService(drivers, "Node");
  return present([
    has("nodeStageVolume") && NodeRpc.STAGE_UNSTAGE_VOLUME,
    has("nodeGetVolumeStats") && NodeRpc.GET_VOLUME_STATS,
    has("nodeExpandVolume") && NodeRpc.EXPAND_VOLUME,
    feature("singleNodeMultiWriter") && NodeRpc.SINGLE_NODE_MULTI_WRITER,
    feature("volumeMountGroup") && NodeRpc.VOLUME_MOUNT_GROUP,
    has("nodeGetVolumeHealth") && NodeRpc.GET_VOLUME_HEALTH,
    has("nodeGetStorageHealth") && NodeRpc.GET_STORAGE_HEALTH,
  ]).map((type) => ({ type: { $case: "rpc", value: { type } } }));
}

/** What GroupControllerGetCapabilities answers for the drivers together. */
export function groupControllerCapabilities(drivers: Offerings): GroupControllerServiceCapability[] {
  const has = offers(drivers, "createVolumeGroupSnapshot");
  return present([has && GroupControllerRpc.CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT]).map((type) => ({
    type: { $case: "rpc", value: { type } },
  }));
}

/** Whether one of the drivers has `feature` set. */
export function hasFeature(drivers: Offerings, feature: keyof Features): boolean {
  return drivers.some(({ features }) => features[feature] !== undefined && features[feature] !== false);
}

/** The names of all 36 RPCs. */
export function rpcMethods(): readonly RpcMethod[] {
  return Object.keys(RPCS) as RpcMethod[];
}

function volumeExpansion(when: "online" | "offline"): PluginCapability {
  const type = when === "online" ? Expansion.ONLINE : Expansion.OFFLINE;
  return { type: { $case: "volumeExpansion", value: { type } } };
}

function present<T>(candidates: readonly (T | false)[]): T[] {
  return candidates.flatMap((candidate) => (candidate === false ? [] : [candidate]));
}
