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
  checkFilesystem,
  type Connector,
  ensureBindMounted,
  ensureFilesystem,
  ensureMounted,
  findMounts,
  growFilesystem,
  type Host,
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
    return { node_id: this.#parts.hostNqn, max_volumes_per_node: BigInt(this.#parts.maxVolumesPerNode) };
  }

  override async nodeStageVolume(request: NodeStageVolumeRequest, context: CallContext): Promise<object> {
    const { host, records, connector } = this.#parts;
    const { volume_id, staging_target_path, publish_context, volume_context } = request;
    const access = this.#access(request);
    const connection = parseConnection(publish_context, volume_context, this.#parts);
    await records.update(volume_id, { connection: { ...connection }, stagingPath: staging_target_path });
    const { device } = await connector.attach(connection, { signal: context.signal });
    if (access.kind === "block") return {};

    const { blankProof } = publish_context;
    const filesystem = await ensureFilesystem(
      host,
      records,
      {
        device,
        volumeId: volume_id,
        fsType: access.filesystem,
        // Clones and restores hold somebody's data: what cannot be read there is damaged, not blank.
        mayFormat: volume_context[CONTENT_SOURCE] === undefined,
        ...(blankProof !== undefined && { blankProof: { id: blankProof } }),
      },
      { signal: context.signal, logger: context.logger },
    );
    const staged = await findMounts(host, { target: staging_target_path });
    if (staged.length === 0 && !filesystem.formatted) await checkFilesystem(host, device, filesystem.type);
    await ensureMounted(
      host,
      { source: device, target: staging_target_path, fsType: filesystem.type, options: [...access.mountFlags] },
      { signal: context.signal },
    );
    // A restore may be larger than the filesystem that it holds.
    await growFilesystem(host, { device, type: filesystem.type, mountPath: staging_target_path }, { signal: context.signal });
    return {};
  }

  override async nodeUnstageVolume({ volume_id, staging_target_path }: NodeUnstageVolumeRequest, { signal }: CallContext): Promise<object> {
    const { host, records, connector } = this.#parts;
    await removeMount(host, staging_target_path, { signal });
    const connection = toConnection(await records.find(volume_id));
    if (connection !== undefined) {
      await connector.detach(connection, { signal });
      // What the record knows about formatting must outlast this: a volume is formatted once.
      await records.update(volume_id, { connection: undefined, stagingPath: undefined });
    }
    return {};
  }

  override async nodePublishVolume(request: NodePublishVolumeRequest, { signal }: CallContext): Promise<object> {
    const { host } = this.#parts;
    const { volume_id, staging_target_path, target_path, readonly } = request;
    const access = this.#access(request);
    if (staging_target_path === "") throw new DriverError("NOT_READY", "staging_target_path is missing: this driver stages volumes first");
    const device = await this.#device(volume_id, signal);
    const staged = access.kind === "block" || (await findMounts(host, { target: staging_target_path })).length > 0;
    if (!staged) throw new DriverError("NOT_READY", `volume "${volume_id}" is not staged at ${staging_target_path}: stage it first`);
    if (access.exclusive) await this.#refuseSecondPath(request, device);
    await ensureBindMounted(
      host,
      access.kind === "block"
        ? { source: device, target: target_path, kind: "file", readonly, options: [] }
        : { source: staging_target_path, target: target_path, kind: "directory", readonly, options: [] },
      { signal },
    );
    return {};
  }

  /** SINGLE_NODE_SINGLE_WRITER: one path on the node (CSI NodePublishVolume, FAILED_PRECONDITION). */
  async #refuseSecondPath({ volume_id, staging_target_path, target_path }: NodePublishVolumeRequest, device: string): Promise<void> {
    const mounts = await findMounts(this.#parts.host, { device });
    const other = mounts.find(({ target }) => target !== staging_target_path && target !== target_path);
    if (other !== undefined) {
      throw new DriverError("IN_USE", `volume "${volume_id}" is for a single pod and is published at ${other.target} already`);
    }
  }

  override async nodeUnpublishVolume({ target_path }: NodeUnpublishVolumeRequest, { signal }: CallContext): Promise<object> {
    await removeMount(this.#parts.host, target_path, { signal });
    return {};
  }

  override async nodeGetVolumeStats(request: NodeGetVolumeStatsRequest, { signal }: CallContext): Promise<DeepPartial<NodeGetVolumeStatsResponse>> {
    const { host } = this.#parts;
    const { volume_id, volume_path } = request;
    const device = await this.#device(volume_id, signal);
    const mounts = await findMounts(host, { target: volume_path });
    if (mounts.length === 0) throw new DriverError("VOLUME_NOT_FOUND", `volume "${volume_id}" is not at ${volume_path}`);
    if (await host.files.isDirectory(volume_path)) {
      const { bytes, inodes } = await volumeStats(host, volume_path, { signal });
      return {
        usage: [
          { unit: Unit.BYTES, ...bytes },
          { unit: Unit.INODES, ...inodes },
        ],
      };
    }
    return { usage: [{ unit: Unit.BYTES, total: await blockDeviceSize(host, device, { signal }) }] };
  }

  override async nodeExpandVolume(request: NodeExpandVolumeRequest, { signal }: CallContext): Promise<DeepPartial<NodeExpandVolumeResponse>> {
    const { host, records, connector } = this.#parts;
    const { volume_id, volume_path } = request;
    const device = await this.#device(volume_id, signal);
    const connection = toConnection(await records.find(volume_id));
    if (connection !== undefined) await connector.resize(connection, { signal });
    const sizeBytes = await blockDeviceSize(host, device, { signal });
    const required = request.capacity_range?.required_bytes ?? 0n;
    if (sizeBytes < required) {
      throw new DriverError("NOT_READY", `device ${device} of volume "${volume_id}" has ${sizeBytes} bytes, ${required} asked: the controller's expansion has not arrived`);
    }
    const [mount] = await findMounts(host, { target: volume_path });
    if (mount === undefined) throw new DriverError("VOLUME_NOT_FOUND", `volume "${volume_id}" is not at ${volume_path}`);
    if (await host.files.isDirectory(volume_path)) {
      await growFilesystem(host, { device, type: parseFilesystem(mount.fsType), mountPath: volume_path }, { signal });
    }
    return { capacity_bytes: sizeBytes };
  }

  #access(request: Pick<NodeStageVolumeRequest, "volume_capability" | "volume_context">): Access {
    const { fsType } = request.volume_context;
    return parseAccess(request.volume_capability, fsType === undefined ? undefined : parseFilesystem(fsType));
  }

  /** The device of a volume that was staged here; its connection stands in the node's record, not in memory. */
  async #device(volumeId: string, signal: AbortSignal): Promise<string> {
    const connection = toConnection(await this.#parts.records.find(volumeId));
    if (connection === undefined) throw new DriverError("VOLUME_NOT_FOUND", `volume "${volumeId}" is not staged on this node`);
    const found = await this.#parts.connector.find(connection, { signal });
    if (found === undefined) {
      throw new DriverError("NOT_READY", `the device of volume "${volumeId}" is gone from this node: unstage the volume and stage it again`);
    }
    return found.device;
  }
}

/** The connection that a stage recorded. */
function toConnection(record: VolumeRecord | undefined): Connection | undefined {
  return record?.connection as Connection | undefined;
}
