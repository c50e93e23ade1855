import { CsiDriver } from "../src/driver.ts";
import type * as csi from "../src/gen/csi.ts";
import type { Lun, LunArray } from "./lun-array.ts";

/** A driver that keeps nothing in memory: its volumes are LUNs whose label is their name. */
export class LunDriver extends CsiDriver {
  override readonly pluginInfo = { name: "lun.csi.example.org", vendorVersion: "1.0.0" };
  protected readonly array: LunArray;

  constructor(array: LunArray) {
    super();
    this.array = array;
  }

  override async createVolume({ name, capacityRange }: csi.CreateVolumeRequest): Promise<object> {
    const bytes = capacityRange?.requiredBytes ?? 0n;
    const lun = await this.find((each) => each.label === name);
    const volumeId = lun?.id ?? (await this.array.create(bytes, name));
    if (lun?.isFormatted !== true) await this.array.format(volumeId);
    return { volume: { volumeId, capacityBytes: bytes } };
  }

  override async deleteVolume({ volumeId }: csi.DeleteVolumeRequest): Promise<object> {
    if (await this.find(({ id }) => id === volumeId)) await this.array.delete(volumeId);
    return {};
  }

  override async validateVolumeCapabilities({
    volumeCapabilities,
  }: csi.ValidateVolumeCapabilitiesRequest): Promise<object> {
    return { confirmed: { volumeCapabilities } };
  }

  override async controllerPublishVolume({ volumeId, nodeId }: csi.ControllerPublishVolumeRequest): Promise<object> {
    const lun = await this.find(({ id }) => id === volumeId);
    if (lun?.hosts.includes(nodeId) !== true) await this.array.addHost(volumeId, nodeId);
    return {};
  }

  override async controllerUnpublishVolume({
    volumeId,
    nodeId,
  }: csi.ControllerUnpublishVolumeRequest): Promise<object> {
    const lun = await this.find(({ id }) => id === volumeId);
    if (lun?.hosts.includes(nodeId) === true) await this.array.removeHost(volumeId, nodeId);
    return {};
  }

  protected async find(wanted: (lun: Lun) => boolean): Promise<Lun | undefined> {
    return (await this.array.list()).find(wanted);
  }
}
