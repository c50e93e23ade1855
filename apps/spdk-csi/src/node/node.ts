import {
  type CallContext,
  CsiDriver,
  type DeepPartial,
  type Features,
  type NodeExpandVolumeRequest,
  type NodeExpandVolumeResponse,
  type NodeGetInfoResponse,
  type NodeGetStorageHealthRequest,
  type NodeGetStorageHealthResponse,
  type NodeGetVolumeHealthRequest,
  type NodeGetVolumeHealthResponse,
  type NodeGetVolumeStatsRequest,
  type NodeGetVolumeStatsResponse,
  type NodePublishVolumeRequest,
  type NodeStageVolumeRequest,
  type NodeUnpublishVolumeRequest,
  type NodeUnstageVolumeRequest,
  VolumeUsage_Unit as Unit,
} from "@org/csi-framework";
import {
  type CallOptions,
  type Connector,
  childrenSettled,
  expandVolume,
  type Host,
  isMountPoint,
  measureVolume,
  type NvmeConnection,
  publishVolume,
  stageVolume,
  unpublishVolume,
  unstageVolume,
  type VolumeParts,
  type VolumeRecords,
} from "@org/node-mounter";

import { DriverError } from "../driver-error.ts";
import { DRIVER_VERSION } from "../plugin.ts";
import { ensureBlockAccess } from "./device-access.ts";
import { explainStageError } from "./explain-stage-error.ts";
import { isFinal } from "./is-final.ts";
import { missingSecrets, type SecretPurpose } from "./node-secrets.ts";
import { parseStageCall, type StageCall } from "./stage-call.ts";
import { stagingConnector } from "./staging-connector.ts";
import { storageHealth } from "./storage-health.ts";
import { volumeHealth } from "./volume-health.ts";

/** What the node plugin is made of. */
export interface NodeParts {
  readonly driverName: string;
  readonly hostNqn: string;
  readonly hostId: string;
  /** 0: no limit. */
  readonly maxVolumesPerNode: number;
  /** Where the node is, as segments by label. Default: everywhere, which is said by saying nothing. */
  readonly topology?: Readonly<Record<string, string>>;
  readonly host: Host;
  readonly records: VolumeRecords;
  readonly connector: Connector<NvmeConnection>;
}

/** The node side of the driver: attaches a published volume, and puts it where pods find it. */
export class SpdkNode extends CsiDriver {
  override readonly pluginInfo: { readonly name: string; readonly vendorVersion: string };
  /**
   * Without `volumeMountGroup`: the filesystems that the driver mounts take no group at their mount. Kubelet sets
   * ownership by fsGroup itself, which our mounts take and keep.
   */
  override readonly features: Features = { volumeExpansion: "online", singleNodeMultiWriter: true };
  readonly #parts: NodeParts;

  constructor(parts: NodeParts) {
    super();
    this.#parts = parts;
    this.pluginInfo = { name: parts.driverName, vendorVersion: DRIVER_VERSION };
  }

  override async nodeGetInfo(): Promise<DeepPartial<NodeGetInfoResponse>> {
    const { hostNqn, maxVolumesPerNode, topology = {} } = this.#parts;
    return {
      nodeId: hostNqn,
      maxVolumesPerNode: BigInt(maxVolumesPerNode),
      ...(Object.keys(topology).length > 0 && { accessibleTopology: { segments: { ...topology } } }),
    };
  }

  override async nodeStageVolume(request: NodeStageVolumeRequest, context: CallContext): Promise<object> {
    const call = parseStageCall(request, this.#parts);
    if (call.missing.length > 0) throw missingSecrets(request.volumeId, call.missing, "stage");
    const limits = { signal: context.signal };
    const isConnected = await isAttached(this.#parts.connector, call.stage.connection, limits);
    try {
      await this.#staging(call, "stage", context, (parts) => stageVolume(parts, call.stage, limits));
    } catch (error) {
      if (!isConnected && isFinal(error)) await this.#takeBack(request, context);
      throw error;
    }
    return {};
  }

  override async nodeUnstageVolume(request: NodeUnstageVolumeRequest, context: CallContext): Promise<object> {
    await this.#unstage(request, context);
    return {};
  }

  async #unstage({ volumeId, stagingTargetPath }: UnstageCall, context: CallContext): Promise<void> {
    const parts = { ...this.#volumes(context), connector: this.#parts.connector };
    const request = { volumeId, stagingPath: stagingTargetPath };
    await untilSettled(context, () => unstageVolume(parts, request, { signal: context.signal }));
  }

  /** Kubelet sends no unstage after a stage that was refused for good: what this one brought would stay. */
  async #takeBack(request: UnstageCall, context: CallContext): Promise<void> {
    const { volumeId } = request;
    try {
      await this.#unstage(request, context);
    } catch (error) {
      // What the caller has to know is why the stage failed; the next one finds what is left.
      context.logger.warn("what a failed stage has brought is left", { volumeId, error: String(error) });
    }
  }

  override async nodePublishVolume(request: NodePublishVolumeRequest, context: CallContext): Promise<object> {
    const { volumeId, targetPath, stagingTargetPath } = request;
    if (stagingTargetPath === "") {
      throw new DriverError(
        "NOT_READY",
        `volume "${volumeId}" is published without a staging_target_path: this driver stages volumes first`,
      );
    }
    const call = parseStageCall(request, this.#parts);
    const { kind, exclusive } = call.access;
    const readonly = request.readonly || call.access.readonly;
    const limits = { signal: context.signal };
    const publication = { ...call.stage, targetPath, readonly, exclusive };
    const isRepeated = await isMountPoint(this.#parts.host, targetPath);
    await this.#staging(call, "publish", context, (parts) => publishVolume(parts, publication, limits));
    if (kind === "filesystem") return {};
    try {
      await ensureBlockAccess(this.#parts.host, publication, limits);
    } catch (error) {
      // What was there before may be in use.
      if (!isRepeated) await untilSettled(context, () => unpublishVolume(this.#parts, publication, limits));
      throw error;
    }
    return {};
  }

  override async nodeUnpublishVolume(
    { volumeId, targetPath }: NodeUnpublishVolumeRequest,
    context: CallContext,
  ): Promise<object> {
    const { signal } = context;
    await untilSettled(context, () => unpublishVolume(this.#parts, { volumeId, targetPath }, { signal }));
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
    const work = () => expandVolume(this.#volumes(context), expansion, { signal: context.signal });
    return { capacityBytes: await untilSettled(context, work) };
  }

  override async nodeGetVolumeHealth(
    { volumeId, volumePublishPath, stagingTargetPath }: NodeGetVolumeHealthRequest,
    context: CallContext,
  ): Promise<DeepPartial<NodeGetVolumeHealthResponse>> {
    const request = { volumeId, publishPath: volumePublishPath, stagingPath: stagingTargetPath };
    const healthStatuses = await volumeHealth(this.#volumes(context), request, { signal: context.signal });
    return { volumeHealth: { volumeId, healthStatuses } };
  }

  override async nodeGetStorageHealth(
    _request: NodeGetStorageHealthRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<NodeGetStorageHealthResponse>> {
    const { host, hostNqn, connector } = this.#parts;
    return { backendHealth: await storageHealth({ host, hostNqn, isNvme: connector.kind === "nvme" }, { signal }) };
  }

  /** Runs what stages or may stage, with what the call needs of its device, and says what its errors mean here. */
  async #staging(
    call: StageCall,
    purpose: SecretPurpose,
    context: CallContext,
    work: (parts: VolumeParts<NvmeConnection>) => Promise<void>,
  ): Promise<void> {
    const { host, connector } = this.#parts;
    const parts = { ...this.#volumes(context), connector: stagingConnector(host, connector, call, purpose) };
    try {
      await untilSettled(context, () => work(parts));
    } catch (error) {
      throw explainStageError(error, call, purpose);
    }
  }

  #volumes({ logger }: CallContext): VolumeParts<NvmeConnection> {
    const { host, records, connector } = this.#parts;
    return { host, records, connector, logger };
  }
}

/** What names a staged volume. */
type UnstageCall = Pick<NodeUnstageVolumeRequest, "volumeId" | "stagingTargetPath">;

/** Whether there is any session or device of a volume, however it is; unsure counts as yes. */
async function isAttached<Connection>(
  connector: Connector<Connection>,
  connection: Connection,
  options: CallOptions,
): Promise<boolean> {
  try {
    return (await connector.diagnose(connection, options))?.code !== "NOT_CONNECTED";
  } catch {
    return true;
  }
}

/** Runs work that may leave a child running at its deadline: the volume stays locked until that has ended. */
async function untilSettled<T>(context: CallContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    context.hold(childrenSettled(error));
    throw error;
  }
}
