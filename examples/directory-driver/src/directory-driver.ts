import { execFile } from "node:child_process";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual, promisify } from "node:util";

import * as csi from "@org/csi-framework";
import { type Host, volumeStats } from "@org/node-mounter";

import { publish, publishedAt, unpublish } from "./publish.ts";
import { type Entry, Store } from "./store.ts";

const { VolumeCapability_AccessMode_Mode: Mode, VolumeUsage_Unit: Unit, CsiError } = csi;
const SIZES = { defaultBytes: 1024n ** 3n, granularityBytes: 4096n, maxBytes: 1024n ** 5n };
const OFFERED: csi.OfferedAccess = { modes: Object.values(Mode), accessTypes: ["mount"] };
const atLeast = ({ sizeBytes }: Entry) => ({ ...SIZES, defaultBytes: sizeBytes, minBytes: sizeBytes });
const byId = { key: ({ id }: Entry) => id };
const run = promisify(execFile);

export interface DirectoryDriverOptions {
  /** Where all volumes are: on one machine, or on a file system that all nodes have mounted. */
  readonly root: string;
  readonly nodeId: string;
  readonly host: Host;
  /** Whether to publish by bind mounts, or else by symbolic links. */
  readonly mayMount: boolean;
}

/** Gives workloads directories as volumes. Snapshots and clones are copies, which share blocks where the file system can. */
export class DirectoryDriver extends csi.CsiDriver {
  override readonly pluginInfo = { name: "directory.csi.example.org", vendorVersion: "1.0.0" };
  override readonly features = { cloneVolume: true, singleNodeMultiWriter: true, volumeExpansion: "online" } as const;
  readonly #options: DirectoryDriverOptions;
  readonly #stores: Readonly<Record<"volume" | "snapshot", Store>>;

  constructor(options: DirectoryDriverOptions) {
    super();
    this.#options = options;
    const store = (name: string) => new Store(join(options.root, name), options.host);
    this.#stores = { volume: store("volumes"), snapshot: store("snapshots") };
  }

  override async createVolume(request: csi.CreateVolumeRequest) {
    const { name, volumeCapabilities, volumeContentSource, capacityRange } = request;
    csi.checkCapabilities(volumeCapabilities, OFFERED);
    return { volume: toVolume(await this.#ensure("volume", name, volumeContentSource, capacityRange)) };
  }
  override async deleteVolume({ volumeId }: csi.DeleteVolumeRequest) {
    await this.#stores.volume.remove(volumeId);
    return {};
  }
  override async validateVolumeCapabilities({ volumeId, volumeCapabilities }: csi.ValidateVolumeCapabilitiesRequest) {
    await this.#get("volume", volumeId);
    const message = csi.findUnofferedAccess(volumeCapabilities, OFFERED);
    return message === undefined ? { confirmed: { volumeCapabilities } } : { message };
  }
  /** A directory has no size: what grows is what is written down. */
  override async controllerExpandVolume({ volumeId, capacityRange }: csi.ControllerExpandVolumeRequest) {
    const volume = await this.#get("volume", volumeId);
    const sizeBytes = csi.chooseCapacity(capacityRange, atLeast(volume));
    if (sizeBytes > volume.sizeBytes) await this.#stores.volume.write({ ...volume, sizeBytes });
    return { capacityBytes: sizeBytes };
  }
  override async listVolumes(request: csi.ListVolumesRequest) {
    const { entries, nextToken } = csi.paginate(await this.#stores.volume.list(), request, byId);
    return { entries: entries.map((entry) => ({ volume: toVolume(entry) })), nextToken };
  }
  override async controllerGetVolume({ volumeId }: csi.ControllerGetVolumeRequest) {
    return { volume: toVolume(await this.#get("volume", volumeId)), status: {} };
  }
  /** A volume is well when what is written down about it can be read. */
  override async controllerGetVolumeHealth({ volumeId }: csi.ControllerGetVolumeHealthRequest) {
    return { volumeHealth: { volumeId: (await this.#get("volume", volumeId)).id } };
  }
  override async getCapacity() {
    const { bavail, bsize } = await statfs(this.#options.root, { bigint: true });
    return { availableCapacity: bavail * bsize };
  }

  override async createSnapshot({ name, sourceVolumeId: volumeId }: csi.CreateSnapshotRequest) {
    const source: csi.VolumeContentSource = { type: { $case: "volume", value: { volumeId } } };
    return { snapshot: toSnapshot(await this.#ensure("snapshot", name, source)) };
  }
  override async deleteSnapshot({ snapshotId }: csi.DeleteSnapshotRequest) {
    await this.#stores.snapshot.remove(snapshotId);
    return {};
  }
  override async getSnapshot({ snapshotId }: csi.GetSnapshotRequest) {
    return { snapshot: toSnapshot(await this.#get("snapshot", snapshotId)) };
  }
  override async listSnapshots({ snapshotId, sourceVolumeId, ...page }: csi.ListSnapshotsRequest) {
    const wanted = (await this.#stores.snapshot.list())
      .filter(({ id }) => snapshotId === "" || id === snapshotId)
      .filter(({ source }) => sourceVolumeId === "" || origin(source)?.id === sourceVolumeId);
    const { entries, nextToken } = csi.paginate(wanted, page, byId);
    return { entries: entries.map((entry) => ({ snapshot: toSnapshot(entry) })), nextToken };
  }

  override async nodeGetInfo() {
    return { nodeId: this.#options.nodeId };
  }
  override async nodePublishVolume(request: csi.NodePublishVolumeRequest) {
    const { volumeId, targetPath: target, volumeCapability: capability } = request;
    await this.#get("volume", volumeId);
    csi.checkCapabilities(capability ? [capability] : [], OFFERED);
    const mode = capability?.accessMode?.mode ?? Mode.UNKNOWN;
    const source = this.#stores.volume.dataPath(volumeId);
    const elsewhere = (await publishedAt(this.#options.host, source, target)).find((path) => path !== target);
    if (mode === Mode.SINGLE_NODE_SINGLE_WRITER && elsewhere !== undefined)
      throw CsiError.failedPrecondition(`volume ${volumeId} has its single writer at ${elsewhere}`);
    const readonly = request.readonly || csi.isReadOnly(mode);
    await publish(this.#options, { source, target, kind: "directory", readonly });
    return {};
  }
  override async nodeUnpublishVolume({ targetPath }: csi.NodeUnpublishVolumeRequest) {
    await unpublish(this.#options.host, targetPath);
    return {};
  }
  override async nodeExpandVolume({ volumeId }: csi.NodeExpandVolumeRequest) {
    return { capacityBytes: (await this.#get("volume", volumeId)).sizeBytes };
  }
  override async nodeGetVolumeHealth({ volumeId }: csi.NodeGetVolumeHealthRequest) {
    return { volumeHealth: { volumeId: (await this.#get("volume", volumeId)).id } };
  }
  /** Tells of the whole file system: a directory has no limits of its own. */
  override async nodeGetVolumeStats({ volumeId, volumePath }: csi.NodeGetVolumeStatsRequest) {
    const source = this.#stores.volume.dataPath((await this.#get("volume", volumeId)).id);
    if (!(await publishedAt(this.#options.host, source, volumePath)).includes(volumePath))
      throw CsiError.notFound(`volume ${volumeId} is not published at ${volumePath}`);
    const { bytes, inodes } = await volumeStats(this.#options.host, volumePath);
    return { usage: [Object.assign(bytes, { unit: Unit.BYTES }), Object.assign(inodes, { unit: Unit.INODES })] };
  }

  async #get(kind: "volume" | "snapshot", id: string) {
    const entry = await this.#stores[kind].find(id);
    if (entry === undefined) throw CsiError.notFound(`${kind} ${id} does not exist`);
    return entry;
  }
  /** Makes an entry of this name from its source, or finds the one that was made before. */
  async #ensure(kind: "volume" | "snapshot", name: string, source: Entry["source"], range?: csi.CapacityRange) {
    const id = csi.hashedName(`${kind}-`, name);
    const found = await this.#stores[kind].find(id);
    if (found !== undefined) {
      if (csi.satisfies(found.sizeBytes, range) && isDeepStrictEqual(found.source, source)) return found;
      throw CsiError.alreadyExists(`${kind} "${name}" has another size or source`);
    }
    const from = origin(source);
    const sizeBytes = csi.chooseCapacity(range, from ? atLeast(await this.#get(from.kind, from.id)) : SIZES);
    const entry: Entry = { id, sizeBytes, createdAt: new Date(), source };
    await this.#stores[kind].create(entry, async (data) => from && this.#copy(from.kind, from.id, data));
    return entry;
  }
  /** Looks after the copy whether the source is still there: while it was being deleted, parts of it were missing. */
  async #copy(kind: "volume" | "snapshot", id: string, to: string) {
    // Dies with this process, so that the call that comes again has the place for itself.
    const cp = ["--pdeathsig", "KILL", "cp", "-a", "--reflink=auto", `${this.#stores[kind].dataPath(id)}/.`, to];
    await run("setpriv", cp);
    await this.#get(kind, id);
    await run("sync", ["-f", to]);
  }
}

function origin(source: Entry["source"]) {
  const type = source?.type;
  if (type?.$case === "snapshot") return { kind: "snapshot", id: type.value.snapshotId } as const;
  return type && ({ kind: "volume", id: type.value.volumeId } as const);
}

function toVolume({ id, sizeBytes, source }: Entry) {
  return { volumeId: id, capacityBytes: sizeBytes, ...(source && { contentSource: source }) };
}

function toSnapshot({ id, sizeBytes, createdAt, source }: Entry) {
  const sourceVolumeId = origin(source)?.id ?? "";
  return { snapshotId: id, sourceVolumeId, sizeBytes, creationTime: createdAt, readyToUse: true };
}
