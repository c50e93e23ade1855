import { CsiError } from "../../src/csi-error.ts";
import { CsiDriver } from "../../src/driver.ts";
import type * as csi from "../../src/gen/csi.ts";
import { takeSnapshot, toSnapshot } from "./memory-snapshots.ts";
import type { MemoryGroup, MemoryStorage } from "./memory-storage.ts";

/** The group controller service. */
export class MemoryGroups extends CsiDriver {
  override readonly pluginInfo = { name: "memory.csi.example.org", vendorVersion: "1.0.0" };
  readonly #storage: MemoryStorage;

  constructor(storage: MemoryStorage) {
    super();
    this.#storage = storage;
  }

  override async createVolumeGroupSnapshot({
    name,
    sourceVolumeIds,
  }: csi.CreateVolumeGroupSnapshotRequest): Promise<object> {
    const existing = [...this.#storage.groups.values()].find((group) => group.name === name);
    if (existing !== undefined) {
      if (existing.volumeIds.toSorted().join() !== sourceVolumeIds.toSorted().join()) {
        throw CsiError.alreadyExists(`group ${name} is of other volumes`);
      }
      return this.#answer(existing);
    }
    const missing = sourceVolumeIds.find((volumeId) => !this.#storage.volumes.has(volumeId));
    if (missing !== undefined) throw CsiError.notFound(`there is no volume ${missing}`);
    const id = this.#storage.newId("group");
    const taken = sourceVolumeIds.map((volumeId) => takeSnapshot(this.#storage, `${id} ${volumeId}`, volumeId, id));
    const snapshotIds = taken.map((snapshot) => snapshot.id);
    const group = { id, name, volumeIds: sourceVolumeIds, snapshotIds, creationTime: new Date() };
    this.#storage.groups.set(id, group);
    return this.#answer(group);
  }

  override async deleteVolumeGroupSnapshot({ groupSnapshotId }: csi.DeleteVolumeGroupSnapshotRequest): Promise<object> {
    for (const id of this.#storage.groups.get(groupSnapshotId)?.snapshotIds ?? []) this.#storage.snapshots.delete(id);
    this.#storage.groups.delete(groupSnapshotId);
    return {};
  }

  override async getVolumeGroupSnapshot({ groupSnapshotId }: csi.GetVolumeGroupSnapshotRequest): Promise<object> {
    const group = this.#storage.groups.get(groupSnapshotId);
    if (group === undefined) throw CsiError.notFound(`there is no group ${groupSnapshotId}`);
    return this.#answer(group);
  }

  #answer({ id, snapshotIds, creationTime }: MemoryGroup): object {
    const members = snapshotIds.flatMap((snapshotId) => this.#storage.snapshots.get(snapshotId) ?? []);
    const snapshots = members.map(toSnapshot);
    return { groupSnapshot: { groupSnapshotId: id, snapshots, creationTime, readyToUse: true } };
  }
}
