import type { CsiClient } from "../../csi-client.ts";
import type { Features } from "../../features.ts";
import {
  ControllerServiceCapability_RPC_Type as ControllerRpc,
  NodeServiceCapability_RPC_Type as NodeRpc,
  PluginCapability_Service_Type as PluginService,
} from "../../gen/csi.ts";
import type { RpcMethod } from "../../gen/rpcs.ts";
import { codeOf } from "./must.ts";
import type { ConformanceSettings } from "./options.ts";

/** What a case rests on: an RPC or a feature that the plugin advertises, or something that only an option can give. */
export type Need = RpcMethod | keyof Features | keyof typeof GIVEN;

/** What the plugin advertises and the options give. */
export type Offer = ReadonlySet<Need>;

/** What comes from options or from the node, with the reason for skipping without it. */
const GIVEN = {
  log: "the option `log` is not given",
  mutableParameters: "the option `mutableParameters` is not given",
  otherNodeId: "the option `otherNodeId` is not given",
  attachLimit: "the node names no max_volumes_per_node up to the option `attachLimitUpTo`",
  volume: "the plugin makes no volumes, and the option `volume` is not given",
} as const;

const ALWAYS: readonly Need[] = ["getPluginInfo", "getPluginCapabilities", "probe"];

const BY_SERVICE: Readonly<Partial<Record<PluginService, readonly Need[]>>> = {
  [PluginService.CONTROLLER_SERVICE]: ["controllerGetCapabilities", "validateVolumeCapabilities"],
  [PluginService.VOLUME_ACCESSIBILITY_CONSTRAINTS]: ["topology"],
  [PluginService.GROUP_CONTROLLER_SERVICE]: ["groupControllerGetCapabilities"],
  [PluginService.SNAPSHOT_METADATA_SERVICE]: ["getMetadataAllocated", "getMetadataDelta"],
  [PluginService.SNAPSHOT_ACCESSIBILITY_CONSTRAINTS]: ["snapshotTopology"],
};

const BY_CONTROLLER_RPC: Readonly<Partial<Record<ControllerRpc, readonly Need[]>>> = {
  [ControllerRpc.CREATE_DELETE_VOLUME]: ["createVolume", "deleteVolume", "volume"],
  [ControllerRpc.PUBLISH_UNPUBLISH_VOLUME]: ["controllerPublishVolume", "controllerUnpublishVolume"],
  [ControllerRpc.LIST_VOLUMES]: ["listVolumes"],
  [ControllerRpc.GET_CAPACITY]: ["getCapacity"],
  [ControllerRpc.CREATE_DELETE_SNAPSHOT]: ["createSnapshot", "deleteSnapshot"],
  [ControllerRpc.LIST_SNAPSHOTS]: ["listSnapshots"],
  [ControllerRpc.CLONE_VOLUME]: ["cloneVolume"],
  [ControllerRpc.PUBLISH_READONLY]: ["publishReadonly"],
  [ControllerRpc.EXPAND_VOLUME]: ["controllerExpandVolume"],
  [ControllerRpc.LIST_VOLUMES_PUBLISHED_NODES]: ["publishedNodes"],
  [ControllerRpc.GET_VOLUME]: ["controllerGetVolume"],
  [ControllerRpc.MODIFY_VOLUME]: ["controllerModifyVolume"],
  [ControllerRpc.GET_SNAPSHOT]: ["getSnapshot"],
  [ControllerRpc.GET_VOLUME_HEALTH]: ["controllerGetVolumeHealth"],
  [ControllerRpc.LIST_VOLUME_HEALTH]: ["controllerListVolumeHealth"],
};

const GROUPS: readonly Need[] = ["createVolumeGroupSnapshot", "deleteVolumeGroupSnapshot", "getVolumeGroupSnapshot"];

/** Nothing advertises the node service: it is there when it tells the node's id. */
const NODE: readonly Need[] = ["nodeGetInfo", "nodeGetCapabilities", "nodePublishVolume", "nodeUnpublishVolume"];

const BY_NODE_RPC: Readonly<Partial<Record<NodeRpc, readonly Need[]>>> = {
  [NodeRpc.STAGE_UNSTAGE_VOLUME]: ["nodeStageVolume", "nodeUnstageVolume"],
  [NodeRpc.GET_VOLUME_STATS]: ["nodeGetVolumeStats"],
  [NodeRpc.EXPAND_VOLUME]: ["nodeExpandVolume"],
  [NodeRpc.SINGLE_NODE_MULTI_WRITER]: ["singleNodeMultiWriter"],
  [NodeRpc.VOLUME_MOUNT_GROUP]: ["volumeMountGroup"],
  [NodeRpc.GET_VOLUME_HEALTH]: ["nodeGetVolumeHealth"],
  [NodeRpc.GET_STORAGE_HEALTH]: ["nodeGetStorageHealth"],
};

/** Asks the plugin what it offers. */
export async function readOffer(client: CsiClient, settings: ConformanceSettings): Promise<Offer> {
  const offer = new Set<Need>(ALWAYS);
  const add = (needs: readonly Need[] = []): void => needs.forEach((need) => void offer.add(need));

  for (const { type } of (await client.identity.getPluginCapabilities({})).capabilities) {
    if (type?.$case === "volumeExpansion") offer.add("volumeExpansion");
    if (type?.$case === "service") add(BY_SERVICE[type.value.type]);
  }
  if (offer.has("controllerGetCapabilities")) {
    const { capabilities } = await client.controller.controllerGetCapabilities({});
    for (const { type } of capabilities) if (type) add(BY_CONTROLLER_RPC[type.value.type]);
  }
  if (offer.has("groupControllerGetCapabilities")) {
    const { capabilities } = await client.groupController.groupControllerGetCapabilities({});
    if (capabilities.length > 0) add(GROUPS);
  }
  const info = client.node.nodeGetInfo({});
  if ((await codeOf(info)) !== "UNIMPLEMENTED") {
    add(NODE);
    const { maxVolumesPerNode } = await info;
    if (maxVolumesPerNode > 0n && maxVolumesPerNode <= settings.attachLimitUpTo) offer.add("attachLimit");
    const { capabilities } = await client.node.nodeGetCapabilities({});
    for (const { type } of capabilities) if (type) add(BY_NODE_RPC[type.value.type]);
  }
  const { log, mutableParameters, otherNodeId, volume } = settings;
  for (const [name, value] of Object.entries({ log, mutableParameters, otherNodeId, volume })) {
    if (value !== undefined) add([name as keyof typeof GIVEN]);
  }
  return offer;
}

/** Why a case that needs these is skipped; undefined where it is not. */
export function whySkipped(offer: Offer, needs: readonly Need[]): string | undefined {
  const missing = needs.find((need) => !offer.has(need));
  if (missing === undefined) return undefined;
  return missing in GIVEN ? GIVEN[missing as keyof typeof GIVEN] : `the plugin does not advertise ${missing}`;
}
