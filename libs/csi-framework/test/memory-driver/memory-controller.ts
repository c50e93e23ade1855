import { CsiError } from "../../src/csi-error.ts";
import { CsiDriver } from "../../src/driver.ts";
import type * as csi from "../../src/gen/csi.ts";
import {
  CAPACITY_BYTES,
  MAX_VOLUMES_PER_NODE,
  type MemoryStorage,
  type MemoryVolume,
  NODES,
  TOPOLOGY,
} from "./memory-storage.ts";
import { page } from "./pages.ts";

const DEFAULT_BYTES = 1n << 30n;
const MUTABLE_PARAMETERS: readonly string[] = ["iops"];

/** The controller service's volumes. */
export class MemoryController extends CsiDriver {
  override readonly pluginInfo = { name: "memory.csi.example.org", vendorVersion: "1.0.0" };
  override readonly features = {
    volumeExpansion: "online",
    publishReadonly: true,
    topology: true,
    publishedNodes: true,
    cloneVolume: true,
  } as const;
  readonly #storage: MemoryStorage;

  constructor(storage: MemoryStorage) {
    super();
    this.#storage = storage;
  }

  override async probe(): Promise<{ ready: boolean }> {
    return { ready: true };
  }

  override async createVolume(request: csi.CreateVolumeRequest): Promise<csi.CreateVolumeResponse> {
    checkMutable(request.mutableParameters);
    const source = this.#sourceOf(request.volumeContentSource);
    const existing = [...this.#storage.volumes.values()].find(({ name }) => name === request.name);
    if (existing !== undefined) {
      if (!fits(existing, request)) throw CsiError.alreadyExists(`there is another volume ${request.name}`);
      return { volume: toVolume(existing) };
    }
    const required = request.capacityRange?.requiredBytes || DEFAULT_BYTES;
    const bytes = source !== undefined && source.bytes > required ? source.bytes : required;
    const limit = request.capacityRange?.limitBytes ?? 0n;
    if (bytes > CAPACITY_BYTES || (limit > 0n && bytes > limit)) throw CsiError.outOfRange(`${bytes} bytes do not fit`);
    if (bytes > this.#storage.freeBytes) throw CsiError.resourceExhausted(`there is no room for ${bytes} bytes`);
    const volume: MemoryVolume = {
      id: this.#storage.newId("volume"),
      name: request.name,
      bytes,
      contentSource: request.volumeContentSource,
      blocks: new Map(source?.blocks),
      nodes: new Map(),
    };
    this.#storage.volumes.set(volume.id, volume);
    return { volume: toVolume(volume) };
  }

  override async deleteVolume({ volumeId }: csi.DeleteVolumeRequest): Promise<object> {
    if ((this.#storage.volumes.get(volumeId)?.nodes.size ?? 0) > 0) {
      throw CsiError.failedPrecondition(`volume ${volumeId} is published`);
    }
    this.#storage.volumes.delete(volumeId);
    return {};
  }

  override async controllerPublishVolume({
    volumeId,
    nodeId,
    readonly,
  }: csi.ControllerPublishVolumeRequest): Promise<csi.ControllerPublishVolumeResponse> {
    const { nodes } = this.#volume(volumeId);
    if (!NODES.some((node) => node === nodeId)) throw CsiError.notFound(`there is no node ${nodeId}`);
    const published = nodes.get(nodeId);
    if (published !== undefined && published.readonly !== readonly) {
      throw CsiError.alreadyExists(`volume ${volumeId} is published to ${nodeId} with readonly ${published.readonly}`);
    }
    if (published === undefined && nodes.size > 0) {
      throw CsiError.failedPrecondition(`volume ${volumeId} is published to ${[...nodes.keys()].join()}`);
    }
    const there = [...this.#storage.volumes.values()].filter((volume) => volume.nodes.has(nodeId)).length;
    if (published === undefined && there >= MAX_VOLUMES_PER_NODE) {
      throw CsiError.resourceExhausted(`${nodeId} has ${there} volumes`);
    }
    nodes.set(nodeId, { readonly });
    return { publishContext: { address: `memory:${volumeId}` } };
  }

  override async controllerUnpublishVolume({
    volumeId,
    nodeId,
  }: csi.ControllerUnpublishVolumeRequest): Promise<object> {
    const nodes = this.#storage.volumes.get(volumeId)?.nodes;
    if (nodeId === "") nodes?.clear();
    else nodes?.delete(nodeId);
    return {};
  }

  override async validateVolumeCapabilities({
    volumeId,
    volumeContext,
    volumeCapabilities,
    parameters,
  }: csi.ValidateVolumeCapabilitiesRequest): Promise<object> {
    this.#volume(volumeId);
    return { confirmed: { volumeContext, volumeCapabilities, parameters } };
  }

  override async listVolumes(request: csi.ListVolumesRequest): Promise<object> {
    const { entries, nextToken } = page([...this.#storage.volumes.values()], request);
    return { entries: entries.map((volume) => ({ volume: toVolume(volume), status: statusOf(volume) })), nextToken };
  }

  override async controllerGetVolume({ volumeId }: csi.ControllerGetVolumeRequest): Promise<object> {
    const volume = this.#volume(volumeId);
    return { volume: toVolume(volume), status: statusOf(volume) };
  }

  override async getCapacity(): Promise<object> {
    return { availableCapacity: this.#storage.freeBytes, maximumVolumeSize: CAPACITY_BYTES };
  }

  override async controllerExpandVolume({
    volumeId,
    capacityRange,
  }: csi.ControllerExpandVolumeRequest): Promise<object> {
    const volume = this.#volume(volumeId);
    const required = capacityRange?.requiredBytes ?? 0n;
    if (required - volume.bytes > this.#storage.freeBytes) throw CsiError.outOfRange(`${required} bytes do not fit`);
    if (required > volume.bytes) volume.bytes = required;
    return { capacityBytes: volume.bytes, nodeExpansionRequired: true };
  }

  override async controllerModifyVolume({
    volumeId,
    mutableParameters,
  }: csi.ControllerModifyVolumeRequest): Promise<object> {
    this.#volume(volumeId);
    checkMutable(mutableParameters);
    return {};
  }

  override async controllerGetVolumeHealth({ volumeId }: csi.ControllerGetVolumeHealthRequest): Promise<object> {
    return { volumeHealth: { volumeId: this.#volume(volumeId).id } };
  }

  override async controllerListVolumeHealth(request: csi.ControllerListVolumeHealthRequest): Promise<object> {
    const { entries, nextToken } = page([...this.#storage.volumes.keys()], request);
    return { entries: entries.map((volumeId) => ({ volumeId })), nextToken };
  }

  #volume(volumeId: string): MemoryVolume {
    const volume = this.#storage.volumes.get(volumeId);
    if (volume === undefined) throw CsiError.notFound(`there is no volume ${volumeId}`);
    return volume;
  }

  #sourceOf(
    source: csi.VolumeContentSource | undefined,
  ): (Pick<MemoryVolume, "bytes"> & { blocks: ReadonlyMap<number, number> }) | undefined {
    if (source?.type === undefined) return undefined;
    const { volumes, snapshots } = this.#storage;
    const { type } = source;
    const found = type.$case === "volume" ? volumes.get(type.value.volumeId) : snapshots.get(type.value.snapshotId);
    if (found === undefined) throw CsiError.notFound("the source of the volume does not exist");
    return found;
  }
}

function checkMutable(parameters: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(parameters).find((name) => !MUTABLE_PARAMETERS.includes(name));
  if (unknown !== undefined) throw CsiError.invalidArgument(`there is no mutable parameter ${unknown}`);
}

function fits({ bytes, contentSource }: MemoryVolume, request: csi.CreateVolumeRequest): boolean {
  const { requiredBytes = 0n, limitBytes = 0n } = request.capacityRange ?? {};
  const isSame = JSON.stringify(contentSource) === JSON.stringify(request.volumeContentSource);
  return isSame && bytes >= requiredBytes && (limitBytes === 0n || bytes <= limitBytes);
}

function toVolume({ id, bytes, contentSource }: MemoryVolume): csi.Volume {
  return {
    volumeId: id,
    capacityBytes: bytes,
    volumeContext: { made: "in memory" },
    contentSource,
    accessibleTopology: [TOPOLOGY],
  };
}

function statusOf({ nodes }: MemoryVolume): { publishedNodeIds: string[] } {
  return { publishedNodeIds: [...nodes.keys()] };
}
