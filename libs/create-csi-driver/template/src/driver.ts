import {
  type CreateVolumeRequest,
  CsiDriver,
  CsiError,
  checkCapabilities,
  type DeleteVolumeRequest,
  findUnofferedAccess,
  isReadOnly,
  type ListVolumesRequest,
  type NodePublishVolumeRequest,
  type NodeUnpublishVolumeRequest,
  type OfferedAccess,
  paginate,
  type ValidateVolumeCapabilitiesRequest,
  VolumeCapability_AccessMode_Mode,
} from "@org/csi-framework";

import type { Mounts } from "./mounts.ts";
import type { Volumes } from "./volumes.ts";

const { SINGLE_NODE_WRITER, SINGLE_NODE_READER_ONLY, UNKNOWN } = VolumeCapability_AccessMode_Mode;

const OFFERED: OfferedAccess = { modes: [SINGLE_NODE_WRITER, SINGLE_NODE_READER_ONLY], accessTypes: ["mount"] };

export interface MyDriverOptions {
  readonly volumes: Volumes;
  readonly mounts: Mounts;
  readonly nodeId: string;
}

/** Translates CSI's calls. Requests have been checked and one call at a time works on a volume when they get here. */
export class MyDriver extends CsiDriver {
  override readonly pluginInfo = { name: "my-driver.csi.example.org", vendorVersion: "0.1.0" };
  readonly #options: MyDriverOptions;

  constructor(options: MyDriverOptions) {
    super();
    this.#options = options;
  }

  override async createVolume({ name, capacityRange, volumeCapabilities }: CreateVolumeRequest) {
    checkCapabilities(volumeCapabilities, OFFERED);
    return { volume: await this.#options.volumes.ensure(name, capacityRange) };
  }

  override async deleteVolume({ volumeId }: DeleteVolumeRequest) {
    await this.#options.volumes.remove(volumeId);
    return {};
  }

  override async validateVolumeCapabilities({ volumeId, volumeCapabilities }: ValidateVolumeCapabilitiesRequest) {
    await this.#mustExist(volumeId);
    const message = findUnofferedAccess(volumeCapabilities, OFFERED);
    return message === undefined ? { confirmed: { volumeCapabilities } } : { message };
  }

  override async listVolumes(request: ListVolumesRequest) {
    const volumes = await this.#options.volumes.list();
    const { entries, nextToken } = paginate(volumes, request, { key: ({ volumeId }) => volumeId });
    return { entries: entries.map((volume) => ({ volume })), nextToken };
  }

  override async nodeGetInfo() {
    return { nodeId: this.#options.nodeId };
  }

  override async nodePublishVolume({ volumeId, targetPath, volumeCapability, readonly }: NodePublishVolumeRequest) {
    await this.#mustExist(volumeId);
    checkCapabilities(volumeCapability === undefined ? [] : [volumeCapability], OFFERED);
    const mode = volumeCapability?.accessMode?.mode ?? UNKNOWN;
    const source = this.#options.volumes.dataPath(volumeId);
    await this.#options.mounts.ensure(source, targetPath, readonly || isReadOnly(mode) ? "ro" : "rw");
    return {};
  }

  override async nodeUnpublishVolume({ targetPath }: NodeUnpublishVolumeRequest) {
    await this.#options.mounts.remove(targetPath);
    return {};
  }

  async #mustExist(volumeId: string) {
    if ((await this.#options.volumes.find(volumeId)) === undefined)
      throw CsiError.notFound(`volume ${volumeId} does not exist`);
  }
}
