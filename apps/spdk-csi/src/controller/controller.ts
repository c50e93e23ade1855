import {
  type CallContext,
  type ControllerExpandVolumeRequest,
  type ControllerExpandVolumeResponse,
  type ControllerGetVolumeHealthRequest,
  type ControllerGetVolumeHealthResponse,
  type ControllerGetVolumeRequest,
  type ControllerGetVolumeResponse,
  type ControllerListVolumeHealthRequest,
  type ControllerListVolumeHealthResponse,
  type ControllerPublishVolumeRequest,
  type ControllerPublishVolumeResponse,
  type ControllerUnpublishVolumeRequest,
  type CreateSnapshotRequest,
  type CreateSnapshotResponse,
  type CreateVolumeRequest,
  type CreateVolumeResponse,
  CsiDriver,
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
  type ValidateVolumeCapabilitiesRequest,
  type ValidateVolumeCapabilitiesResponse,
  type VolumeHealth,
} from "@org/csi-framework";

import { parseAccess } from "../capabilities.ts";
import { parseCredentials } from "../config/credentials.ts";
import { DriverError } from "../driver-error.ts";
import type { Exports } from "../exports/exports.ts";
import { isNodeOf } from "../node-identity.ts";
import { parseParameters } from "../parameters.ts";
import { DRIVER_VERSION } from "../plugin.ts";
import type { Snapshot } from "../snapshots/snapshot.ts";
import type { Snapshots } from "../snapshots/snapshots.ts";
import { isUnavailable } from "../targets/is-unavailable.ts";
import type { Targets } from "../targets/targets.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";
import { formatVolumeId, isSameLvol } from "../volumes/volume-id.ts";
import { type Volumes, volumeNotFound } from "../volumes/volumes.ts";
import { findCapacity } from "./capacity-report.ts";
import { toCsiSnapshot, toCsiVolume, toRange, toSource, volumeContext } from "./csi-messages.ts";
import { LastSeen } from "./last-seen.ts";
import { type ListedVolume, PublishedVolumes } from "./published-volumes.ts";
import { spaceHealth, unreachable, volumeHealth } from "./volume-health.ts";
import { Walks } from "./walks.ts";

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

/** The key under which upstream's StorageClasses send the credentials of targets. */
const SECRET_KEY = "secret.json";

/**
 * The controller side of the driver: CSI's words translated into the domain's, and back. A change that was begun is
 * brought to its end even if its caller has gone: what was sent to a target runs on anyway.
 */
export class SpdkController extends CsiDriver {
  override readonly pluginInfo: { readonly name: string; readonly vendorVersion: string };
  override readonly features: Features;
  readonly #parts: ControllerParts;
  readonly #published: PublishedVolumes;
  readonly #lastVolumes: LastSeen<ListedVolume>;
  readonly #lastSnapshots: LastSeen<Snapshot>;
  readonly #volumeWalks = new Walks<ListedVolume>(({ id }) => id);
  readonly #snapshotWalks = new Walks<Snapshot>(({ id }) => id);
  readonly #healthWalks = new Walks<VolumeHealth>(({ volumeId }) => volumeId);

  constructor(parts: ControllerParts) {
    super();
    this.#parts = parts;
    this.#published = new PublishedVolumes(parts.names, parts.exports);
    this.#lastVolumes = new LastSeen(parts.targets, "volumes");
    this.#lastSnapshots = new LastSeen(parts.targets, "snapshots");
    this.pluginInfo = { name: parts.driverName, vendorVersion: DRIVER_VERSION };
    this.features = {
      volumeExpansion: "online",
      singleNodeMultiWriter: true,
      publishedNodes: true,
      cloneVolume: true,
      topology: parts.targets.all.some(({ config }) => Object.keys(config.topology).length > 0),
    };
  }

  override async createVolume(request: CreateVolumeRequest): Promise<DeepPartial<CreateVolumeResponse>> {
    this.#takeCredentials(request);
    const parameters = parseParameters(request.parameters);
    for (const capability of request.volumeCapabilities) parseAccess(capability, parameters.fsType);
    const source = toSource(request.volumeContentSource);
    const { target, lvol } = await this.#parts.volumes.ensure({
      name: request.name,
      range: toRange(request.capacityRange),
      parameters,
      source,
      accessibility: request.accessibilityRequirements,
    });
    return {
      volume: {
        ...toCsiVolume(formatVolumeId(target.name, lvol.uuid), lvol, target),
        volumeContext: volumeContext(target, lvol, parameters, source),
        ...(request.volumeContentSource && { contentSource: request.volumeContentSource }),
      },
    };
  }

  override async deleteVolume(request: DeleteVolumeRequest): Promise<object> {
    this.#takeCredentials(request);
    await this.#parts.volumes.remove(request.volumeId);
    return {};
  }

  override async controllerPublishVolume(
    request: ControllerPublishVolumeRequest,
  ): Promise<DeepPartial<ControllerPublishVolumeResponse>> {
    const { volumeId, nodeId } = request;
    this.#takeCredentials(request);
    if (request.readonly) {
      throw new DriverError(
        "INVALID",
        "read-only publishing is not offered: the target cannot remember it; mount read-only instead",
      );
    }
    const { sharing } = parseAccess(request.volumeCapability);
    const place = (await this.#parts.volumes.locate(volumeId)) ?? volumeNotFound(volumeId);
    if (!isNodeOf(this.#parts.cluster, nodeId)) {
      await this.#parts.volumes.get(volumeId);
      throw new DriverError(
        "NODE_NOT_FOUND",
        `node "${nodeId}" is no node of cluster "${this.#parts.cluster}": node ids are what NodeGetInfo returns`,
      );
    }
    const context = await this.#parts.exports.publish({ ...place, host: nodeId, sharing });
    if (context === undefined) return volumeNotFound(volumeId);
    this.#published.published(place.target, place.uuid, volumeId);
    return { publishContext: { ...context } };
  }

  override async controllerUnpublishVolume(request: ControllerUnpublishVolumeRequest): Promise<object> {
    const { volumeId, nodeId } = request;
    this.#takeCredentials(request);
    if (nodeId !== "" && !isNodeOf(this.#parts.cluster, nodeId)) return {};
    const place = await this.#parts.volumes.locate(volumeId);
    if (place === undefined) return {};
    await this.#parts.exports.unpublish(place.target, place.uuid, nodeId === "" ? undefined : nodeId);
    return {};
  }

  override async validateVolumeCapabilities(
    request: ValidateVolumeCapabilitiesRequest,
  ): Promise<DeepPartial<ValidateVolumeCapabilitiesResponse>> {
    this.#takeCredentials(request);
    await this.#parts.volumes.get(request.volumeId);
    try {
      const { fsType } = parseParameters(request.parameters);
      for (const capability of request.volumeCapabilities) parseAccess(capability, fsType);
    } catch (error) {
      if (error instanceof DriverError) return { message: error.message };
      throw error;
    }
    const { volumeCapabilities, volumeContext: context, parameters } = request;
    return { confirmed: { volumeCapabilities, volumeContext: context, parameters } };
  }

  override async listVolumes(
    request: ListVolumesRequest,
    { logger }: CallContext,
  ): Promise<DeepPartial<ListVolumesResponse>> {
    const list = () => this.#lastVolumes.list((target) => this.#published.list(target), logger);
    const { entries, nextToken } = await this.#volumeWalks.page(request, list);
    return {
      entries: entries.map(({ id, lvol, target, nodes }) => ({
        volume: toCsiVolume(id, lvol, target),
        status: { publishedNodeIds: [...nodes] },
      })),
      nextToken,
    };
  }

  override async controllerGetVolume({
    volumeId,
  }: ControllerGetVolumeRequest): Promise<DeepPartial<ControllerGetVolumeResponse>> {
    const { target, lvol } = await this.#parts.volumes.get(volumeId);
    const nodes = await this.#parts.exports.nodesOf(target, lvol.uuid);
    return { volume: toCsiVolume(volumeId, lvol, target), status: { publishedNodeIds: nodes } };
  }

  override async controllerGetVolumeHealth(
    request: ControllerGetVolumeHealthRequest,
  ): Promise<DeepPartial<ControllerGetVolumeHealthResponse>> {
    const { volumeId } = request;
    this.#takeCredentials(request);
    const place = (await this.#parts.volumes.locate(volumeId)) ?? volumeNotFound(volumeId);
    const healthStatuses = (await volumeHealth(place.target, place.uuid)) ?? volumeNotFound(volumeId);
    return { volumeHealth: { volumeId, healthStatuses } };
  }

  override async controllerListVolumeHealth(
    request: ControllerListVolumeHealthRequest,
    { logger }: CallContext,
  ): Promise<DeepPartial<ControllerListVolumeHealthResponse>> {
    this.#takeCredentials(request);
    return this.#healthWalks.page(request, async () => {
      const volumes = await this.#lastVolumes.list((target) => this.#published.list(target), logger);
      const hurt = await Promise.all(this.#parts.targets.all.map((target) => this.#hurtOn(target, volumes)));
      return hurt.flat();
    });
  }

  async #hurtOn(target: Targets["all"][number], volumes: readonly ListedVolume[]): Promise<VolumeHealth[]> {
    const here = volumes.filter((volume) => volume.target === target);
    try {
      const lvstores = await target.lvstores();
      return here
        .map(({ id, lvol }) => ({ volumeId: id, healthStatuses: spaceHealth(target, lvol, lvstores) }))
        .filter(({ healthStatuses }) => healthStatuses.length > 0);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return here.map(({ id }) => ({ volumeId: id, healthStatuses: [unreachable(error)] }));
    }
  }

  override async getCapacity(
    request: GetCapacityRequest,
    { logger }: CallContext,
  ): Promise<DeepPartial<GetCapacityResponse>> {
    return findCapacity(this.#parts.targets, parseParameters(request.parameters), request.accessibleTopology, logger);
  }

  override async controllerExpandVolume(
    request: ControllerExpandVolumeRequest,
  ): Promise<DeepPartial<ControllerExpandVolumeResponse>> {
    this.#takeCredentials(request);
    const { lvol } = await this.#parts.volumes.expand(request.volumeId, toRange(request.capacityRange));
    // Raw blocks, too: the mapping of an encrypted one has to grow, and only its node knows of it.
    return { capacityBytes: lvol.sizeBytes, nodeExpansionRequired: true };
  }

  override async createSnapshot(request: CreateSnapshotRequest): Promise<DeepPartial<CreateSnapshotResponse>> {
    this.#takeCredentials(request);
    const unknown = Object.keys(request.parameters).filter((key) => !key.startsWith("csi.storage.k8s.io/"));
    if (unknown.length > 0)
      throw new DriverError("INVALID", `unknown snapshot parameter ${unknown.join(", ")}: there are none`);
    const { sourceVolumeId } = request;
    const snapshot = await this.#parts.snapshots.ensure(request.name, sourceVolumeId, () =>
      this.#parts.volumes.get(sourceVolumeId),
    );
    return { snapshot: toCsiSnapshot({ ...snapshot, sourceVolumeId }) };
  }

  override async deleteSnapshot(request: DeleteSnapshotRequest): Promise<object> {
    this.#takeCredentials(request);
    await this.#parts.snapshots.remove(request.snapshotId);
    return {};
  }

  override async getSnapshot(request: GetSnapshotRequest): Promise<DeepPartial<GetSnapshotResponse>> {
    this.#takeCredentials(request);
    const { snapshotId } = request;
    const snapshot = await this.#parts.snapshots.find(snapshotId);
    if (snapshot === undefined) throw new DriverError("SNAPSHOT_NOT_FOUND", `snapshot "${snapshotId}" does not exist`);
    return { snapshot: toCsiSnapshot(snapshot) };
  }

  override async listSnapshots(
    request: ListSnapshotsRequest,
    { logger }: CallContext,
  ): Promise<DeepPartial<ListSnapshotsResponse>> {
    this.#takeCredentials(request);
    const { snapshotId, sourceVolumeId } = request;
    const list = async () => {
      const all = snapshotId === "" ? await this.#allSnapshots(logger) : await this.#snapshotOf(snapshotId);
      return all.filter((each) => sourceVolumeId === "" || isSameLvol(each.sourceVolumeId, sourceVolumeId));
    };
    const filter = JSON.stringify([snapshotId, sourceVolumeId]);
    const { entries, nextToken } = await this.#snapshotWalks.page(request, list, filter);
    return { entries: entries.map((each) => ({ snapshot: toCsiSnapshot(each) })), nextToken };
  }

  #allSnapshots(logger: CallContext["logger"]): Promise<Snapshot[]> {
    return this.#lastSnapshots.list((target) => this.#parts.snapshots.list(target), logger);
  }

  async #snapshotOf(id: string): Promise<Snapshot[]> {
    const snapshot = await this.#parts.snapshots.find(id);
    return snapshot === undefined ? [] : [snapshot];
  }

  /** The mounted secret goes first; calls that carry none, such as lists, go on with what an earlier one brought. */
  #takeCredentials({ secrets }: { readonly secrets: Readonly<Record<string, string>> }): void {
    const text = secrets[SECRET_KEY];
    if (text !== undefined) this.#parts.targets.offer(parseCredentials({ file: SECRET_KEY, text }));
  }
}
