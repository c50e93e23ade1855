import { isAbsolute } from "node:path";

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
  blockDeviceSize,
  type Connector,
  checkFilesystem,
  ensureBindMounted,
  ensureFilesystem,
  ensureMounted,
  findMounts,
  growFilesystem,
  type Host,
  type MountEntry,
  removeMount,
  type VolumeRecord,
  type VolumeRecords,
  volumeStats,
} from "@org/node-mounter";

import { type Access, parseAccess } from "./capabilities.ts";
import { type Connection, parseConnection } from "./connection.ts";
import { DriverError } from "./driver-error.ts";
import { parseFilesystem } from "./parameters.ts";
import { CONTENT_SOURCE, DRIVER_VERSION } from "./plugin.ts";

/** What the node plugin is made of. */
export interface NodeParts {
  readonly driverName: string;
  readonly hostNqn: string;
  readonly hostId: string;
  /** 0: no limit. */
  readonly maxVolumesPerNode: number;
  readonly host: Host;
  readonly records: VolumeRecords;
  readonly connector: Connector<Connection>;
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
    const { host, records, connector } = this.#parts;
    const { volumeId, stagingTargetPath, publishContext, volumeContext } = request;
    const access = this.#access(request);
    const connection = parseConnection(publishContext, volumeContext, this.#parts);
    await records.update(volumeId, { connection: { ...connection }, stagingPath: stagingTargetPath });
    const { device } = await connector.attach(connection, { signal: context.signal });
    const staged = await findMounts(host, { target: stagingTargetPath });
    if (access.kind === "block") {
      if (staged.length === 0) return {};
      throw new DriverError(
        "ALREADY_EXISTS",
        `volume "${volumeId}" is staged at ${stagingTargetPath} with a filesystem: unstage it before it becomes a block device`,
      );
    }

    const { blankProof } = publishContext;
    const filesystem = await ensureFilesystem(
      host,
      records,
      {
        device,
        volumeId: volumeId,
        fsType: access.filesystem,
        // Clones and restores hold somebody's data: what cannot be read there is damaged, not blank.
        mayFormat: volumeContext[CONTENT_SOURCE] === undefined,
        ...(blankProof !== undefined && { blankProof: { id: blankProof } }),
      },
      { signal: context.signal, logger: context.logger },
    );
    if (staged.length === 0 && filesystem.needsCheck) await checkFilesystem(host, device, filesystem.type);
    await ensureMounted(
      host,
      { source: device, target: stagingTargetPath, fsType: filesystem.type, options: [...access.mountFlags] },
      { signal: context.signal },
    );
    // A restore may be larger than the filesystem that it holds.
    await growFilesystem(
      host,
      { device, type: filesystem.type, mountPath: stagingTargetPath, growsAtBytes: filesystem.growsAtBytes },
      { signal: context.signal },
    );
    return {};
  }

  override async nodeUnstageVolume(
    { volumeId, stagingTargetPath }: NodeUnstageVolumeRequest,
    { signal }: CallContext,
  ): Promise<object> {
    const { host, records, connector } = this.#parts;
    await removeMount(host, stagingTargetPath, { signal });
    const connection = toConnection(await records.find(volumeId));
    if (connection !== undefined) {
      await connector.detach(connection, { signal });
      // What the record knows about formatting must outlast this: a volume is formatted once.
      await records.update(volumeId, { connection: undefined, stagingPath: undefined });
    }
    return {};
  }

  override async nodePublishVolume(request: NodePublishVolumeRequest, { signal }: CallContext): Promise<object> {
    const { host } = this.#parts;
    const { volumeId, stagingTargetPath, targetPath, readonly } = request;
    const access = this.#access(request);
    if (stagingTargetPath === "")
      throw new DriverError("NOT_READY", "staging_target_path is missing: this driver stages volumes first");
    const device = await this.#device(volumeId, signal);
    const staged = access.kind === "block" || (await findMounts(host, { target: stagingTargetPath })).length > 0;
    if (!staged)
      throw new DriverError("NOT_READY", `volume "${volumeId}" is not staged at ${stagingTargetPath}: stage it first`);
    if (access.exclusive) await this.#refuseSecondPath(request, device);
    await ensureBindMounted(
      host,
      access.kind === "block"
        ? { source: device, target: targetPath, kind: "file", readonly, options: [] }
        : { source: stagingTargetPath, target: targetPath, kind: "directory", readonly, options: [] },
      { signal },
    );
    return {};
  }

  /** SINGLE_NODE_SINGLE_WRITER: one path on the node (CSI NodePublishVolume, FAILED_PRECONDITION). */
  async #refuseSecondPath(
    { volumeId, stagingTargetPath, targetPath }: NodePublishVolumeRequest,
    device: string,
  ): Promise<void> {
    const mounts = await findMounts(this.#parts.host, { device });
    const other = mounts.find(({ target }) => target !== stagingTargetPath && target !== targetPath);
    if (other !== undefined) {
      throw new DriverError(
        "IN_USE",
        `volume "${volumeId}" is for a single pod and is published at ${other.target} already`,
      );
    }
  }

  override async nodeUnpublishVolume(
    { targetPath }: NodeUnpublishVolumeRequest,
    { signal }: CallContext,
  ): Promise<object> {
    await removeMount(this.#parts.host, targetPath, { signal });
    return {};
  }

  override async nodeGetVolumeStats(
    request: NodeGetVolumeStatsRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<NodeGetVolumeStatsResponse>> {
    const { host } = this.#parts;
    const { volumeId, volumePath } = request;
    const device = await this.#device(volumeId, signal);
    await this.#mountAt(volumeId, volumePath);
    if (await host.files.isDirectory(volumePath)) {
      const { bytes, inodes } = await volumeStats(host, volumePath, { signal });
      return {
        usage: [
          { unit: Unit.BYTES, ...bytes },
          { unit: Unit.INODES, ...inodes },
        ],
      };
    }
    return { usage: [{ unit: Unit.BYTES, total: await blockDeviceSize(host, device) }] };
  }

  override async nodeExpandVolume(
    request: NodeExpandVolumeRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<NodeExpandVolumeResponse>> {
    const { host, records, connector } = this.#parts;
    const { volumeId, volumePath } = request;
    const device = await this.#device(volumeId, signal);
    const connection = toConnection(await records.find(volumeId));
    if (connection !== undefined) await connector.resize(connection, { signal });
    const sizeBytes = await blockDeviceSize(host, device);
    const required = request.capacityRange?.requiredBytes ?? 0n;
    if (sizeBytes < required) {
      throw new DriverError(
        "NOT_READY",
        `device ${device} of volume "${volumeId}" has ${sizeBytes} bytes, ${required} asked: the controller's expansion has not arrived`,
      );
    }
    const mount = await this.#mountAt(volumeId, volumePath);
    if (await host.files.isDirectory(volumePath)) {
      await growFilesystem(host, { device, type: parseFilesystem(mount.fsType), mountPath: volumePath }, { signal });
    }
    return { capacityBytes: sizeBytes };
  }

  #access(request: Pick<NodeStageVolumeRequest, "volumeCapability" | "volumeContext">): Access {
    const { fsType } = request.volumeContext;
    return parseAccess(request.volumeCapability, fsType === undefined ? undefined : parseFilesystem(fsType));
  }

  /** The mount at a path where the orchestrator says that a volume is. */
  async #mountAt(volumeId: string, path: string): Promise<MountEntry> {
    const mounts = isAbsolute(path) ? await findMounts(this.#parts.host, { target: path }) : [];
    const [top] = mounts;
    if (top === undefined) throw new DriverError("VOLUME_NOT_FOUND", `volume "${volumeId}" is not at ${path}`);
    return top;
  }

  /** The device of a volume that was staged here; its connection stands in the node's record, not in memory. */
  async #device(volumeId: string, signal: AbortSignal): Promise<string> {
    const connection = toConnection(await this.#parts.records.find(volumeId));
    if (connection === undefined)
      throw new DriverError("VOLUME_NOT_FOUND", `volume "${volumeId}" is not staged on this node`);
    const found = await this.#parts.connector.find(connection, { signal });
    if (found === undefined) {
      throw new DriverError(
        "NOT_READY",
        `the device of volume "${volumeId}" is gone from this node: unstage the volume and stage it again`,
      );
    }
    return found.device;
  }
}

/** The connection that a stage recorded. */
function toConnection(record: VolumeRecord | undefined): Connection | undefined {
  return record?.connection as Connection | undefined;
}
