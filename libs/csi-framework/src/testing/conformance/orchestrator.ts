import { randomUUID } from "node:crypto";

import type { CsiClient } from "../../csi-client.ts";
import {
  type CreateSnapshotRequest,
  type CreateVolumeRequest,
  type DeepPartial,
  VolumeCapability_AccessMode_Mode as Mode,
  type Snapshot,
  type Volume,
  type VolumeCapability,
  type VolumeGroupSnapshot,
} from "../../gen/csi.ts";
import type { RpcMethod } from "../../gen/rpcs.ts";
import { ConformanceError, codeOf, must } from "./must.ts";
import type { Offer } from "./offer.ts";
import type { ConformanceSettings } from "./options.ts";

/** How often a call is repeated that another one is in the way of: ten seconds long. */
const TRIES = 200;
const PAUSE_MS = 50;

/** What a case has at hand: a client, what the plugin offers, and objects that go away again when the case ends. */
export class Orchestrator {
  readonly client: CsiClient;
  readonly settings: ConformanceSettings;
  readonly offer: Offer;
  /** The secret that every call sends. */
  readonly plantedSecret: string;
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(client: CsiClient, settings: ConformanceSettings, offer: Offer, plantedSecret: string) {
    this.client = client;
    this.settings = settings;
    this.offer = offer;
    this.plantedSecret = plantedSecret;
  }

  /** A name or id that nobody has. */
  unique(what: string): string {
    return `conformance-${what}-${randomUUID()}`;
  }

  /** A capability, by default of the access type that is tested. */
  capability(
    mode: Mode = Mode.SINGLE_NODE_WRITER,
    accessType: "mount" | "block" = this.settings.accessType,
  ): DeepPartial<VolumeCapability> {
    const accessMode = { mode };
    return accessType === "block"
      ? { accessMode, accessType: { $case: "block", value: {} } }
      : { accessMode, accessType: { $case: "mount", value: {} } };
  }

  /** A complete request for a volume of a new name. */
  volumeRequest(partial: DeepPartial<CreateVolumeRequest> = {}): DeepPartial<CreateVolumeRequest> {
    const { parameters, volumeBytes } = this.settings;
    return {
      name: this.unique("volume"),
      capacityRange: { requiredBytes: volumeBytes },
      volumeCapabilities: [this.capability()],
      parameters: { ...parameters },
      ...partial,
    };
  }

  /** Makes a volume, or takes the one given where the plugin makes none. */
  async createVolume(partial: DeepPartial<CreateVolumeRequest> = {}): Promise<Volume> {
    const { volume: given } = this.settings;
    if (!this.offer.has("createVolume") && given !== undefined) {
      return { ...given, capacityBytes: 0n, contentSource: undefined, accessibleTopology: [] };
    }
    const { volume } = await this.client.controller.createVolume(this.volumeRequest(partial));
    must(volume !== undefined, "CreateVolume answers without a volume");
    this.later(() => this.client.controller.deleteVolume({ volumeId: volume.volumeId }));
    return volume;
  }

  /** A complete request for a snapshot of a new name. */
  snapshotRequest(
    volume: Volume,
    partial: DeepPartial<CreateSnapshotRequest> = {},
  ): DeepPartial<CreateSnapshotRequest> {
    const { snapshotParameters } = this.settings;
    const name = this.unique("snapshot");
    return { name, sourceVolumeId: volume.volumeId, parameters: { ...snapshotParameters }, ...partial };
  }

  async createSnapshot(volume: Volume, partial: DeepPartial<CreateSnapshotRequest> = {}): Promise<Snapshot> {
    const { snapshot } = await this.client.controller.createSnapshot(this.snapshotRequest(volume, partial));
    must(snapshot !== undefined, "CreateSnapshot answers without a snapshot");
    this.later(() => this.client.controller.deleteSnapshot({ snapshotId: snapshot.snapshotId }));
    return snapshot;
  }

  async createGroup(volumes: readonly Volume[], name: string = this.unique("group")): Promise<VolumeGroupSnapshot> {
    const { groupSnapshot } = await this.client.groupController.createVolumeGroupSnapshot({
      name,
      sourceVolumeIds: volumes.map(({ volumeId }) => volumeId),
      parameters: { ...this.settings.snapshotParameters },
    });
    must(groupSnapshot !== undefined, "CreateVolumeGroupSnapshot answers without a group snapshot");
    const { groupSnapshotId, snapshots } = groupSnapshot;
    const snapshotIds = snapshots.map(({ snapshotId }) => snapshotId);
    this.later(() => this.client.groupController.deleteVolumeGroupSnapshot({ groupSnapshotId, snapshotIds }));
    return groupSnapshot;
  }

  /** The ids of all volumes that the plugin lists. */
  async listedVolumeIds(): Promise<readonly string[]> {
    return (await this.client.controller.listVolumes({})).entries.flatMap(({ volume }) => volume?.volumeId ?? []);
  }

  /** Does this when the case ends, the last first. */
  later(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  /** Repeats a call, as an orchestrator does, until no other call is in its way. */
  async insist<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; attempt < TRIES; attempt += 1) {
      const answer = call();
      if ((await codeOf(answer)) !== "ABORTED") return answer;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return call();
  }

  /** Undoes what the case has made. What is gone already is fine; anything else that fails is thrown, after all was tried. */
  async cleanUp(): Promise<void> {
    const failures: string[] = [];
    for (const undo of this.#undo.reverse()) {
      const undone = this.insist(undo);
      const code = await codeOf(undone).catch(() => "ERROR");
      if (code === "OK" || code === "NOT_FOUND") continue;
      await undone.catch((error: unknown) => failures.push(`${code} ${error instanceof Error ? error.message : ""}`));
    }
    if (failures.length > 0) throw new ConformanceError(`what the case made cannot be removed: ${failures.join("; ")}`);
  }

  /** Whether the plugin offers an RPC. */
  has(rpc: RpcMethod): boolean {
    return this.offer.has(rpc);
  }
}
