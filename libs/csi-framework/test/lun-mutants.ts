import { CsiError } from "../src/csi-error.ts";
import type * as csi from "../src/gen/csi.ts";
import { LunDriver } from "./lun-driver.ts";

export class LeaksBetweenTwoSteps extends LunDriver {
  override async createVolume({ name }: csi.CreateVolumeRequest): Promise<object> {
    const lun = await this.find(({ label }) => label === name);
    if (lun !== undefined) return { volume: { volumeId: lun.id } };
    const volumeId = await this.array.create(1n);
    await this.array.format(volumeId);
    await this.array.setLabel(volumeId, name);
    return { volume: { volumeId } };
  }
}

export class CreatesTwice extends LunDriver {
  override async createVolume({ name }: csi.CreateVolumeRequest): Promise<object> {
    const volumeId = await this.array.create(1n, name);
    await this.array.format(volumeId);
    return { volume: { volumeId } };
  }
}

export class RemembersInMemory extends LunDriver {
  readonly #made = new Map<string, string>();

  override async createVolume({ name }: csi.CreateVolumeRequest): Promise<object> {
    const volumeId = this.#made.get(name) ?? (await this.array.create(1n, name));
    this.#made.set(name, volumeId);
    await this.array.format(volumeId);
    return { volume: { volumeId } };
  }
}

export class ForgetsToFormat extends LunDriver {
  override async createVolume({ name }: csi.CreateVolumeRequest): Promise<object> {
    const lun = await this.find(({ label }) => label === name);
    if (lun !== undefined) return { volume: { volumeId: lun.id } };
    const volumeId = await this.array.create(1n, name);
    await this.array.format(volumeId);
    return { volume: { volumeId } };
  }
}

export class PublishesOnce extends LunDriver {
  override async controllerPublishVolume({ volumeId, nodeId }: csi.ControllerPublishVolumeRequest): Promise<object> {
    await this.array.addHost(volumeId, nodeId);
    return {};
  }
}

export class UnlabelsBeforeDeleting extends LunDriver {
  override async deleteVolume({ volumeId }: csi.DeleteVolumeRequest): Promise<object> {
    const lun = await this.find(({ id }) => id === volumeId);
    if (lun === undefined || lun.label === "") return {};
    await this.array.setLabel(volumeId, "");
    await this.array.delete(volumeId);
    return {};
  }
}

export class SwallowsFailures extends LunDriver {
  override async controllerUnpublishVolume(request: csi.ControllerUnpublishVolumeRequest): Promise<object> {
    return super.controllerUnpublishVolume(request).catch(() => ({}));
  }
}

export class NeverRecovers extends LunDriver {
  #isBroken = false;

  override async deleteVolume(request: csi.DeleteVolumeRequest): Promise<object> {
    if (this.#isBroken) throw CsiError.unavailable("something went wrong before");
    this.#isBroken = true;
    await super.deleteVolume(request);
    this.#isBroken = false;
    return {};
  }
}
