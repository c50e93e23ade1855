import { isDeepStrictEqual } from "node:util";

import { CsiError } from "../../src/csi-error.ts";
import { CsiDriver } from "../../src/driver.ts";
import * as csi from "../../src/gen/csi.ts";
import { MAX_VOLUMES_PER_NODE, type MemoryMount, type MemoryStorage, NODES, TOPOLOGY } from "./memory-storage.ts";

/** The node service of the first node. */
export class MemoryNode extends CsiDriver {
  override readonly pluginInfo = { name: "memory.csi.example.org", vendorVersion: "1.0.0" };
  override readonly features = { singleNodeMultiWriter: true, volumeMountGroup: true };
  readonly #storage: MemoryStorage;

  constructor(storage: MemoryStorage) {
    super();
    this.#storage = storage;
  }

  override async nodeGetInfo(): Promise<object> {
    return { nodeId: NODES[0], maxVolumesPerNode: BigInt(MAX_VOLUMES_PER_NODE), accessibleTopology: TOPOLOGY };
  }

  override async nodeStageVolume({
    volumeId,
    stagingTargetPath,
    volumeCapability,
  }: csi.NodeStageVolumeRequest): Promise<object> {
    this.#mount(stagingTargetPath, { volumeId, kind: "staged", capability: given(volumeCapability), readonly: false });
    return {};
  }

  override async nodeUnstageVolume({ volumeId, stagingTargetPath }: csi.NodeUnstageVolumeRequest): Promise<object> {
    this.#unmount(volumeId, stagingTargetPath);
    return {};
  }

  override async nodePublishVolume({
    volumeId,
    stagingTargetPath,
    targetPath,
    volumeCapability,
    readonly,
  }: csi.NodePublishVolumeRequest): Promise<object> {
    this.#volume(volumeId);
    if (this.#storage.mounts.get(stagingTargetPath)?.volumeId !== volumeId) {
      throw CsiError.failedPrecondition(`volume ${volumeId} is not staged at ${stagingTargetPath}`);
    }
    const capability = given(volumeCapability);
    const isElsewhere = this.#pathsOf(volumeId).some((path) => path !== targetPath);
    if (isElsewhere && capability.accessMode?.mode === csi.VolumeCapability_AccessMode_Mode.SINGLE_NODE_SINGLE_WRITER) {
      throw CsiError.failedPrecondition(`volume ${volumeId} is published at another path`);
    }
    this.#mount(targetPath, { volumeId, kind: "published", capability, readonly });
    return {};
  }

  override async nodeUnpublishVolume({ volumeId, targetPath }: csi.NodeUnpublishVolumeRequest): Promise<object> {
    this.#unmount(volumeId, targetPath);
    return {};
  }

  override async nodeGetVolumeStats({ volumeId, volumePath }: csi.NodeGetVolumeStatsRequest): Promise<object> {
    const { bytes } = this.#mounted(volumeId, volumePath);
    return { usage: [{ unit: csi.VolumeUsage_Unit.BYTES, total: bytes, used: bytes / 4n, available: bytes / 2n }] };
  }

  override async nodeExpandVolume({ volumeId, volumePath }: csi.NodeExpandVolumeRequest): Promise<object> {
    return { capacityBytes: this.#mounted(volumeId, volumePath).bytes };
  }

  override async nodeGetVolumeHealth({ volumeId }: csi.NodeGetVolumeHealthRequest): Promise<object> {
    return { volumeHealth: { volumeId: this.#volume(volumeId).id } };
  }

  override async nodeGetStorageHealth(): Promise<object> {
    return { backendHealth: [] };
  }

  #volume(volumeId: string): { readonly id: string; readonly bytes: bigint } {
    const volume = this.#storage.volumes.get(volumeId);
    if (volume === undefined) throw CsiError.notFound(`there is no volume ${volumeId}`);
    return volume;
  }

  #mounted(volumeId: string, path: string): { readonly bytes: bigint } {
    const volume = this.#volume(volumeId);
    if (this.#storage.mounts.get(path)?.volumeId !== volumeId) {
      throw CsiError.notFound(`volume ${volumeId} is not at ${path}`);
    }
    return volume;
  }

  #mount(path: string, mount: MemoryMount): void {
    this.#volume(mount.volumeId);
    const there = this.#storage.mounts.get(path);
    if (there !== undefined && !isDeepStrictEqual(there, mount)) {
      throw CsiError.alreadyExists(`${path} has something else`);
    }
    this.#storage.mounts.set(path, mount);
  }

  #unmount(volumeId: string, path: string): void {
    if (this.#storage.mounts.get(path)?.volumeId === volumeId) this.#storage.mounts.delete(path);
  }

  #pathsOf(volumeId: string): readonly string[] {
    const entries = [...this.#storage.mounts].filter(
      ([, mount]) => mount.volumeId === volumeId && mount.kind === "published",
    );
    return entries.map(([path]) => path);
  }
}

function given(capability: csi.VolumeCapability | undefined): csi.VolumeCapability {
  if (capability === undefined) throw CsiError.invalidArgument("volume_capability is missing");
  return capability;
}
