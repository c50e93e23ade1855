import {
  type CallContext,
  type ControllerExpandVolumeRequest,
  type ControllerExpandVolumeResponse,
  type ControllerGetVolumeRequest,
  type ControllerGetVolumeResponse,
  type ControllerPublishVolumeRequest,
  type ControllerPublishVolumeResponse,
  type ControllerUnpublishVolumeRequest,
  type CreateSnapshotRequest,
  type CreateSnapshotResponse,
  type CreateVolumeRequest,
  type CreateVolumeResponse,
  CsiDriver,
  type Snapshot as CsiSnapshot,
  type Volume as CsiVolume,
  type DeepPartial,
  type DeleteSnapshotRequest,
  type DeleteVolumeRequest,
  type Features,
  type GetCapacityRequest,
  type GetCapacityResponse,
  type GetSnapshotRequest,
  type GetSnapshotResponse,
  type ListSnapshotsRequest,
  type ListSnapshotsResponse,
  type ListVolumesRequest,
  type ListVolumesResponse,
  paginate,
  type ValidateVolumeCapabilitiesRequest,
  type ValidateVolumeCapabilitiesResponse,
  type VolumeContentSource,
} from "@org/csi-framework";
import { parseAccess } from "../capabilities.ts";
import { DriverError } from "../driver-error.ts";
import type { Exports } from "../exports/exports.ts";
import type { LvolNames } from "../names.ts";
import { isNodeOf } from "../node-identity.ts";
import { parseParameters, type VolumeParameters } from "../parameters.ts";
import { CONTENT_SOURCE, DRIVER_VERSION } from "../plugin.ts";
import type { Snapshot, Snapshots } from "../snapshots/snapshots.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target, Targets } from "../targets/target.ts";
import { formatVolumeId } from "../volume-id.ts";
import { MAX_VOLUME_SIZE_BYTES } from "../volumes/capacity.ts";
import type { VolumeSource } from "../volumes/volume-source.ts";
import type { Volumes } from "../volumes/volumes.ts";

/** What the controller is made of. */
export interface ControllerParts {
  readonly driverName: string;
  readonly cluster: string;
  readonly targets: Targets;
  readonly names: LvolNames;
  readonly volumes: Volumes;
  readonly snapshots: Snapshots;
  readonly exports: Exports;
}

interface Listed {
  readonly id: string;
  readonly lvol: Lvol;
  readonly nodes: readonly string[];
}

/** The controller side of the driver: CSI's words translated into the domain's, and back. */
export class SpdkController extends CsiDriver {
  override readonly pluginInfo: { readonly name: string; readonly vendorVersion: string };
  override readonly features: Features = {
    volumeExpansion: "online",
    singleNodeMultiWriter: true,
    publishedNodes: true,
    cloneVolume: true,
  };
  readonly #parts: ControllerParts;
  readonly #lastSeen = new Map<string, readonly Listed[]>();

  constructor(parts: ControllerParts) {
    super();
    this.#parts = parts;
    this.pluginInfo = { name: parts.driverName, vendorVersion: DRIVER_VERSION };
  }

  override async createVolume(
    request: CreateVolumeRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<CreateVolumeResponse>> {
    const parameters = parseParameters(request.parameters);
    for (const capability of request.volumeCapabilities) parseAccess(capability, parameters.fsType);
    const source = toSource(request.volumeContentSource);
    const { target, lvol } = await this.#parts.volumes.ensure(
      { name: request.name, range: toRange(request.capacityRange), parameters, source },
      { signal },
    );
    return {
      volume: {
        ...toVolume(formatVolumeId(target.name, lvol.uuid), lvol),
        volumeContext: volumeContext(target, lvol, parameters, source),
        ...(request.volumeContentSource && { contentSource: request.volumeContentSource }),
      },
    };
  }

  override async deleteVolume({ volumeId }: DeleteVolumeRequest, { signal }: CallContext): Promise<object> {
    await this.#parts.volumes.remove(volumeId, { signal });
    return {};
  }

  override async controllerPublishVolume(
    request: ControllerPublishVolumeRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<ControllerPublishVolumeResponse>> {
    if (request.readonly) {
      throw new DriverError(
        "INVALID",
        "read-only publishing is not offered: the target cannot remember it; mount read-only instead",
      );
    }
    const { sharing } = parseAccess(request.volumeCapability);
    const volume = await this.#parts.volumes.get(request.volumeId, { signal });
    if (!isNodeOf(this.#parts.cluster, request.nodeId)) {
      throw new DriverError(
        "NODE_NOT_FOUND",
        `node "${request.nodeId}" is no node of cluster "${this.#parts.cluster}": node ids are what NodeGetInfo returns`,
      );
    }
    const context = await this.#parts.exports.publish(volume, { host: request.nodeId, sharing }, { signal });
    return { publishContext: { ...context } };
  }

  override async controllerUnpublishVolume(
    request: ControllerUnpublishVolumeRequest,
    { signal }: CallContext,
  ): Promise<object> {
    const { volumeId, nodeId } = request;
    if (nodeId !== "" && !isNodeOf(this.#parts.cluster, nodeId)) return {};
    await this.#parts.exports.unpublish(volumeId, nodeId === "" ? undefined : nodeId, { signal });
    return {};
  }

  override async validateVolumeCapabilities(
    request: ValidateVolumeCapabilitiesRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<ValidateVolumeCapabilitiesResponse>> {
    await this.#parts.volumes.get(request.volumeId, { signal });
    try {
      const { fsType } = parseParameters(request.parameters);
      for (const capability of request.volumeCapabilities) parseAccess(capability, fsType);
    } catch (error) {
      if (error instanceof DriverError) return { message: error.message };
      throw error;
    }
    const { volumeCapabilities, volumeContext, parameters } = request;
    return { confirmed: { volumeCapabilities, volumeContext, parameters } };
  }

  override async listVolumes(
    request: ListVolumesRequest,
    context: CallContext,
  ): Promise<DeepPartial<ListVolumesResponse>> {
    const listed = await Promise.all(this.#parts.targets.all.map((target) => this.#listOrLastSeen(target, context)));
    const { entries, nextToken } = paginate(listed.flat(), request, { key: ({ id }) => id });
    return {
      entries: entries.map(({ id, lvol, nodes }) => ({
        volume: toVolume(id, lvol),
        status: { publishedNodeIds: [...nodes] },
      })),
      nextToken,
    };
  }

  /** The target's volumes; when it cannot be asked, those it had last, so that one dead target hides no other. */
  async #listOrLastSeen(target: Target, { signal, logger }: CallContext): Promise<readonly Listed[]> {
    try {
      const [lvols, nodes] = await Promise.all([
        target.lvols({ signal }),
        this.#parts.exports.publishedNodes(target, { signal }),
      ]);
      const listed = lvols
        .filter((lvol) => !lvol.isSnapshot && this.#parts.names.parse(lvol.name).kind === "volume")
        .map((lvol) => ({ id: formatVolumeId(target.name, lvol.uuid), lvol, nodes: nodes.get(lvol.uuid) ?? [] }));
      this.#lastSeen.set(target.name, listed);
      return listed;
    } catch (error) {
      signal.throwIfAborted();
      logger.warn("target cannot be asked; its last known volumes are listed", {
        target: target.name,
        error: String(error),
      });
      return this.#lastSeen.get(target.name) ?? [];
    }
  }

  override async controllerGetVolume(
    { volumeId }: ControllerGetVolumeRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<ControllerGetVolumeResponse>> {
    const { target, lvol } = await this.#parts.volumes.get(volumeId, { signal });
    const nodes = await this.#parts.exports.publishedNodes(target, { signal });
    return { volume: toVolume(volumeId, lvol), status: { publishedNodeIds: [...(nodes.get(lvol.uuid) ?? [])] } };
  }

  override async getCapacity(
    request: GetCapacityRequest,
    { signal, logger }: CallContext,
  ): Promise<DeepPartial<GetCapacityResponse>> {
    const parameters = parseParameters(request.parameters);
    const stores = await Promise.all(
      this.#parts.targets.all
        .filter((target) => parameters.target === undefined || parameters.target === target.name)
        .map((target) =>
          target.lvstores({ signal }).catch((error: unknown) => {
            signal.throwIfAborted();
            logger.warn("target cannot be asked; its space is not counted", {
              target: target.name,
              error: String(error),
            });
            return [];
          }),
        ),
    );
    const free = stores
      .flat()
      .filter((store) => parameters.lvstore === undefined || parameters.lvstore === store.name)
      .map((store) => store.freeBytes);
    const largest = free.reduce((most, each) => (each > most ? each : most), 0n);
    return {
      availableCapacity: free.reduce((sum, each) => sum + each, 0n),
      maximumVolumeSize: parameters.thinProvision && largest > 0n ? MAX_VOLUME_SIZE_BYTES : largest,
    };
  }

  override async controllerExpandVolume(
    request: ControllerExpandVolumeRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<ControllerExpandVolumeResponse>> {
    const { lvol } = await this.#parts.volumes.expand(request.volumeId, toRange(request.capacityRange), { signal });
    return {
      capacityBytes: lvol.sizeBytes,
      nodeExpansionRequired: request.volumeCapability?.accessType?.$case !== "block",
    };
  }

  override async createSnapshot(
    request: CreateSnapshotRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<CreateSnapshotResponse>> {
    const unknown = Object.keys(request.parameters).filter((key) => !key.startsWith("csi.storage.k8s.io/"));
    if (unknown.length > 0)
      throw new DriverError("INVALID", `unknown snapshot parameter ${unknown.join(", ")}: there are none`);
    const snapshot = await this.#parts.snapshots.ensure(
      request.name,
      request.sourceVolumeId,
      () => this.#parts.volumes.get(request.sourceVolumeId, { signal }),
      { signal },
    );
    return { snapshot: toCsiSnapshot(snapshot) };
  }

  override async deleteSnapshot({ snapshotId }: DeleteSnapshotRequest, { signal }: CallContext): Promise<object> {
    await this.#parts.snapshots.remove(snapshotId, { signal });
    return {};
  }

  override async getSnapshot(
    { snapshotId }: GetSnapshotRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<GetSnapshotResponse>> {
    const snapshot = await this.#parts.snapshots.find(snapshotId, { signal });
    if (snapshot === undefined) throw new DriverError("SNAPSHOT_NOT_FOUND", `snapshot "${snapshotId}" does not exist`);
    return { snapshot: toCsiSnapshot(snapshot) };
  }

  override async listSnapshots(
    request: ListSnapshotsRequest,
    { signal }: CallContext,
  ): Promise<DeepPartial<ListSnapshotsResponse>> {
    const matching = await this.#snapshotsFor(request, { signal });
    const { entries, nextToken } = paginate(matching, request, { key: ({ id }) => id });
    return { entries: entries.map((each) => ({ snapshot: toCsiSnapshot(each) })), nextToken };
  }

  async #snapshotsFor(
    { snapshotId, sourceVolumeId }: ListSnapshotsRequest,
    options: { readonly signal: AbortSignal },
  ): Promise<Snapshot[]> {
    const { snapshots, targets } = this.#parts;
    const wanted = (each: Snapshot): boolean => sourceVolumeId === "" || each.sourceVolumeId === sourceVolumeId;
    if (snapshotId !== "") {
      const one = await snapshots.find(snapshotId, options);
      return one !== undefined && wanted(one) ? [one] : [];
    }
    const all = await Promise.all(targets.all.map((target) => snapshots.list(target, options)));
    return all.flat().filter(wanted);
  }
}

function toRange(range: { requiredBytes: bigint; limitBytes: bigint } | undefined) {
  return range && { requiredBytes: range.requiredBytes, limitBytes: range.limitBytes };
}

function toSource(source: VolumeContentSource | undefined): VolumeSource | undefined {
  if (source === undefined) return undefined;
  if (source.type?.$case === "snapshot") return { kind: "snapshot", id: source.type.value.snapshotId };
  if (source.type?.$case === "volume") return { kind: "volume", id: source.type.value.volumeId };
  throw new DriverError("INVALID", "volume_content_source names neither a snapshot nor a volume");
}

function toVolume(id: string, { sizeBytes }: Lvol): DeepPartial<CsiVolume> {
  return { volumeId: id, capacityBytes: sizeBytes };
}

/** What later calls need and SPDK does not store. */
function volumeContext(
  target: Target,
  { uuid }: Lvol,
  { fsType }: VolumeParameters,
  source: VolumeSource | undefined,
): Record<string, string> {
  return {
    targetType: target.config.targetType,
    model: uuid,
    ...(fsType !== undefined && { fsType }),
    ...(source !== undefined && { [CONTENT_SOURCE]: source.kind }),
  };
}

function toCsiSnapshot({ id, lvol, sourceVolumeId, createdAt }: Snapshot): DeepPartial<CsiSnapshot> {
  return {
    snapshotId: id,
    sourceVolumeId: sourceVolumeId,
    sizeBytes: lvol.sizeBytes,
    creationTime: createdAt,
    readyToUse: true,
  };
}
