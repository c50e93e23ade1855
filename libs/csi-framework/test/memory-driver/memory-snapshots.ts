import { CsiError } from "../../src/csi-error.ts";
import { CsiDriver } from "../../src/driver.ts";
import * as csi from "../../src/gen/csi.ts";
import { BLOCK_BYTES, type MemorySnapshot, type MemoryStorage, TOPOLOGY } from "./memory-storage.ts";
import { page } from "./pages.ts";

/** How many ranges a message has when the caller does not say. */
const RANGES_PER_MESSAGE = 4;

/** The controller service's snapshots, and what differs between them. */
export class MemorySnapshots extends CsiDriver {
  override readonly pluginInfo = { name: "memory.csi.example.org", vendorVersion: "1.0.0" };
  override readonly features = { snapshotTopology: true };
  readonly #storage: MemoryStorage;

  constructor(storage: MemoryStorage) {
    super();
    this.#storage = storage;
  }

  override async createSnapshot({ name, sourceVolumeId }: csi.CreateSnapshotRequest): Promise<object> {
    const existing = [...this.#storage.snapshots.values()].find((snapshot) => snapshot.name === name);
    if (existing !== undefined) {
      if (existing.volumeId !== sourceVolumeId) throw CsiError.alreadyExists(`snapshot ${name} is of another volume`);
      return { snapshot: toSnapshot(existing) };
    }
    return { snapshot: toSnapshot(takeSnapshot(this.#storage, name, sourceVolumeId)) };
  }

  override async deleteSnapshot({ snapshotId }: csi.DeleteSnapshotRequest): Promise<object> {
    this.#storage.snapshots.delete(snapshotId);
    return {};
  }

  override async listSnapshots(request: csi.ListSnapshotsRequest): Promise<object> {
    const { snapshotId, sourceVolumeId } = request;
    const wanted = [...this.#storage.snapshots.values()].filter(
      ({ id, volumeId }) =>
        (snapshotId === "" || id === snapshotId) && (sourceVolumeId === "" || volumeId === sourceVolumeId),
    );
    const { entries, nextToken } = page(wanted, request);
    return { entries: entries.map((snapshot) => ({ snapshot: toSnapshot(snapshot) })), nextToken };
  }

  override async getSnapshot({ snapshotId }: csi.GetSnapshotRequest): Promise<object> {
    return { snapshot: toSnapshot(this.#snapshot(snapshotId)) };
  }

  override async *getMetadataAllocated(
    request: csi.GetMetadataAllocatedRequest,
  ): AsyncGenerator<csi.GetMetadataAllocatedResponse> {
    const snapshot = this.#snapshot(request.snapshotId);
    yield* messages(snapshot, [...snapshot.blocks.keys()], request);
  }

  override async *getMetadataDelta(request: csi.GetMetadataDeltaRequest): AsyncGenerator<csi.GetMetadataDeltaResponse> {
    const [base, target] = [this.#snapshot(request.baseSnapshotId), this.#snapshot(request.targetSnapshotId)];
    const changed = [...target.blocks.keys()].filter((block) => base.blocks.get(block) !== target.blocks.get(block));
    yield* messages(target, changed, request);
  }

  #snapshot(snapshotId: string): MemorySnapshot {
    const snapshot = this.#storage.snapshots.get(snapshotId);
    if (snapshot === undefined) throw CsiError.notFound(`there is no snapshot ${snapshotId}`);
    return snapshot;
  }
}

/** Takes a snapshot, alone or for a group. */
export function takeSnapshot(storage: MemoryStorage, name: string, volumeId: string, groupId = ""): MemorySnapshot {
  const volume = storage.volumes.get(volumeId);
  if (volume === undefined) throw CsiError.notFound(`there is no volume ${volumeId}`);
  const { bytes, blocks } = volume;
  const id = storage.newId("snapshot");
  const snapshot = { id, name, volumeId, bytes, creationTime: new Date(), blocks: new Map(blocks), groupId };
  storage.snapshots.set(id, snapshot);
  return snapshot;
}

/** A snapshot as the protocol has it. */
export function toSnapshot({ id, volumeId, bytes, creationTime, groupId }: MemorySnapshot): csi.Snapshot {
  return {
    snapshotId: id,
    sourceVolumeId: volumeId,
    sizeBytes: bytes,
    creationTime,
    readyToUse: true,
    groupSnapshotId: groupId,
    accessibleTopology: [TOPOLOGY],
  };
}

function* messages(
  { bytes }: MemorySnapshot,
  blocks: readonly number[],
  { startingOffset, maxResults }: { readonly startingOffset: bigint; readonly maxResults: number },
): Generator<csi.GetMetadataAllocatedResponse> {
  if (startingOffset > bytes) throw CsiError.outOfRange(`the offset ${startingOffset} is beyond ${bytes}`);
  const rest = blocks.filter((block) => BigInt(block + 1) * BLOCK_BYTES > startingOffset).sort((a, b) => a - b);
  const perMessage = maxResults === 0 ? RANGES_PER_MESSAGE : maxResults;
  for (let at = 0; at === 0 || at < rest.length; at += perMessage) {
    yield {
      blockMetadataType: csi.BlockMetadataType.FIXED_LENGTH,
      volumeCapacityBytes: bytes,
      blockMetadata: rest
        .slice(at, at + perMessage)
        .map((block) => ({ byteOffset: BigInt(block) * BLOCK_BYTES, sizeBytes: BLOCK_BYTES })),
    };
  }
}
