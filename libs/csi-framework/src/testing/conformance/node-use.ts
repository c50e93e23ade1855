import type {
  DeepPartial,
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  Volume,
  VolumeCapability,
} from "../../gen/csi.ts";
import type { Orchestrator } from "./orchestrator.ts";

/** A volume on its way to a workload: the same values in every call. */
export interface NodeUse {
  readonly volume: Volume;
  readonly nodeId: string;
  readonly capability: DeepPartial<VolumeCapability>;
  readonly publishContext: Readonly<Record<string, string>>;
  /** Empty where the plugin does not stage. */
  readonly stagingPath: string;
  readonly targetPath: string;
}

/** Publishes a volume to the node on the controller's side, where there is such a step, and makes its paths. */
export async function attach(
  co: Orchestrator,
  volume: Volume,
  capability: DeepPartial<VolumeCapability> = co.capability(),
): Promise<NodeUse> {
  const { client, settings } = co;
  const { volumeId, volumeContext } = volume;
  const { nodeId } = await client.node.nodeGetInfo({});
  if (co.has("controllerPublishVolume")) {
    co.later(() => client.controller.controllerUnpublishVolume({ volumeId, nodeId }));
  }
  const { publishContext } = co.has("controllerPublishVolume")
    ? await client.controller.controllerPublishVolume({
        volumeId,
        nodeId,
        volumeCapability: capability,
        volumeContext,
      })
    : { publishContext: {} };
  const directory = `${settings.nodeDirectory}/${co.unique("node")}`;
  const stagingPath = co.has("nodeStageVolume") ? `${directory}/staging` : "";
  const made = [settings.nodeDirectory, directory, ...(stagingPath === "" ? [] : [stagingPath])];
  for (const path of made) {
    await settings.nodeFiles.makeDirectory(path);
    co.later(() => settings.nodeFiles.removeDirectory(path));
  }
  return { volume, nodeId, capability, publishContext, stagingPath, targetPath: `${directory}/target` };
}

/** The request that stages a volume. */
export function stageRequest({
  volume,
  capability,
  publishContext,
  stagingPath,
}: NodeUse): DeepPartial<NodeStageVolumeRequest> {
  const { volumeId, volumeContext } = volume;
  return { volumeId, volumeContext, publishContext, stagingTargetPath: stagingPath, volumeCapability: capability };
}

/** The request that publishes a volume at its target path. */
export function publishRequest(use: NodeUse): DeepPartial<NodePublishVolumeRequest> {
  return { ...stageRequest(use), targetPath: use.targetPath };
}

/** Stages a volume where the plugin stages. */
export async function stage(co: Orchestrator, use: NodeUse): Promise<void> {
  if (!co.has("nodeStageVolume")) return;
  const { volume, stagingPath } = use;
  co.later(() => co.client.node.nodeUnstageVolume({ volumeId: volume.volumeId, stagingTargetPath: stagingPath }));
  await co.client.node.nodeStageVolume(stageRequest(use));
}

/** Stages a volume and publishes it. */
export async function publish(co: Orchestrator, use: NodeUse): Promise<void> {
  await stage(co, use);
  await publishStaged(co, use);
}

/** Publishes a volume that is staged. */
export async function publishStaged(co: Orchestrator, use: NodeUse): Promise<void> {
  co.later(() => co.client.node.nodeUnpublishVolume({ volumeId: use.volume.volumeId, targetPath: use.targetPath }));
  await co.client.node.nodePublishVolume(publishRequest(use));
}

/** A new volume, published on the node. */
export async function publishedVolume(
  co: Orchestrator,
  capability: DeepPartial<VolumeCapability> = co.capability(),
): Promise<NodeUse> {
  const volume = await co.createVolume({ volumeCapabilities: [capability] });
  const use = await attach(co, volume, capability);
  await publish(co, use);
  return use;
}
