import {
  type CallContext,
  CsiDriver,
  type DeepPartial,
  type Features,
  type NodeExpandVolumeRequest,
  type NodeExpandVolumeResponse,
  type NodeGetInfoResponse,
  type NodeGetVolumeStatsRequest,
  type NodeGetVolumeStatsResponse,
  type NodePublishVolumeRequest,
  type NodeStageVolumeRequest,
  type NodeUnpublishVolumeRequest,
  type NodeUnstageVolumeRequest,
  VolumeUsage_Unit as Unit,
} from "@org/csi-framework";
import {
  type Connector,
  expandVolume,
  type Host,
  measureVolume,
  type NvmeConnection,
  publishVolume,
  type StageRequest,
  stageVolume,
  unpublishVolume,
  unstageVolume,
  type VolumeParts,
  type VolumeRecords,
} from "@org/node-mounter";

import { type Access, parseAccess } from "../capabilities.ts";
import { DriverError } from "../driver-error.ts";
import { parseFilesystem } from "../parameters.ts";
import { CONTENT_SOURCE, DRIVER_VERSION } from "../plugin.ts";
import { parseConnection } from "./connection.ts";

/** What the node plugin is made of. */
export interface NodeParts {
  readonly driverName: string;
  readonly hostNqn: string;
  readonly hostId: string;
  /** 0: no limit. */
  readonly maxVolumesPerNode: number;
  readonly host: Host;
  readonly records: VolumeRecords;
  readonly connector: Connector<NvmeConnection>;
}

/** The node side of the driver: attaches a published volume, and puts it where pods find it. */
export class SpdkNode extends CsiDriver {
  override readonly pluginInfo: { readonly name: string; readonly vendorVersion: string };
  override readonly features: Features = { volumeExpansion: "online", singleNodeMultiWriter: true };
  readonly #parts: NodeParts;

  constructor(parts: NodeParts) {
    super();
    this.#parts = parts;
    this.pluginInfo = { name: parts.driverName, vendorVersion: DRIVER_VERSION };
  }

  override async nodeGetInfo(): Promise<DeepPartial<NodeGetInfoResponse>> {
    return { nodeId: this.#parts.hostNqn, maxVolumesPerNode: BigInt(this.#parts.maxVolumesPerNode) };
  }

  override async nodeStageVolume(request: NodeStageVolumeRequest, context: CallContext): Promise<object> {
    await stageVolume(this.#volumes(context), this.#stageRequest(request), { signal: context.signal });
    return {};
  }

  override async nodeUnstageVolume(
    { volumeId, stagingTargetPath }: NodeUnstageVolumeRequest,
    context: CallContext,
  ): Promise<object> {
    const request = { volumeId, stagingPath: stagingTargetPath };
    await unstageVolume(this.#volumes(context), request, { signal: context.signal });
    return {};
  }

  override async nodePublishVolume(request: NodePublishVolumeRequest, context: CallContext): Promise<object> {
    const { targetPath, readonly, stagingTargetPath } = request;
    if (stagingTargetPath === "")
      throw new DriverError("NOT_READY", "staging_target_path is missing: this driver stages volumes first");
    const { exclusive } = this.#access(request);
    const stage = this.#stageRequest(request);
    await publishVolume(
      this.#volumes(context),
      { ...stage, targetPath, readonly, exclusive },
      { signal: context.signal },
    );
    return {};
  }

  override async nodeUnpublishVolume(
    { volumeId, targetPath }: NodeUnpublishVolumeRequest,
    { signal }: CallContext,
  ): Promise<object> {
    await unpublishVolume(this.#parts, { volumeId, targetPath }, { signal });
    return {};
  }

  override async nodeGetVolumeStats(
    { volumeId, volumePath }: NodeGetVolumeStatsRequest,
    context: CallContext,
  ): Promise<DeepPartial<NodeGetVolumeStatsResponse>> {
    const { signal } = context;
    const used = await measureVolume(this.#volumes(context), { volumeId, volumePath }, { signal });
    if (used.kind === "block") return { usage: [{ unit: Unit.BYTES, total: used.sizeBytes }] };
    return {
      usage: [
        { unit: Unit.BYTES, ...used.bytes },
        { unit: Unit.INODES, ...used.inodes },
      ],
    };
  }

  override async nodeExpandVolume(
    request: NodeExpandVolumeRequest,
    context: CallContext,
  ): Promise<DeepPartial<NodeExpandVolumeResponse>> {
    const { volumeId, volumePath, capacityRange } = request;
    const expansion = { volumeId, volumePath, requiredBytes: capacityRange?.requiredBytes };
    return { capacityBytes: await expandVolume(this.#volumes(context), expansion, { signal: context.signal }) };
  }

  #volumes({ logger }: CallContext): VolumeParts<NvmeConnection> {
    return { ...this.#parts, logger };
  }

  /** What a stage needs, read from a stage request or from a publish that may have to stage again. */
  #stageRequest(request: NodeStageVolumeRequest | NodePublishVolumeRequest): StageRequest<NvmeConnection> {
    const { volumeId, stagingTargetPath, publishContext, volumeContext } = request;
    const access = this.#access(request);
    const { blankProof } = publishContext;
    return {
      volumeId,
      connection: parseConnection(publishContext, volumeContext, this.#parts),
      stagingPath: stagingTargetPath,
      access:
        access.kind === "block"
          ? { kind: "block" }
          : { kind: "filesystem", fsType: access.filesystem, mountOptions: access.mountFlags },
      // Clones and restores hold somebody's data: what cannot be read there is damaged, not blank.
      mayFormat: volumeContext[CONTENT_SOURCE] === undefined,
      blankProof: blankProof === undefined ? undefined : { id: blankProof },
    };
  }

  #access(request: Pick<NodeStageVolumeRequest, "volumeCapability" | "volumeContext">): Access {
    const { fsType } = request.volumeContext;
    return parseAccess(request.volumeCapability, fsType === undefined ? undefined : parseFilesystem(fsType));
  }
}
