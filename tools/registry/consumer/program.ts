// What a user may write, with every package: laid into a fresh project as an ESM and as a CJS module.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createDriver } from "@org/create-csi-driver";
import {
  type CreateVolumeRequest,
  CsiClient,
  CsiDriver,
  type DeleteVolumeRequest,
  serve,
  silentLogger,
  type ValidateVolumeCapabilitiesRequest,
} from "@org/csi-framework";
import { ensureFilesystem, openVolumeRecords } from "@org/node-mounter";
import { fakeHost } from "@org/node-mounter/testing";
import { Emulator } from "@org/spdk-emulator";
import { connect, type SpdkClient } from "@org/spdk-rpc";

class Lvols extends CsiDriver {
  override readonly pluginInfo = { name: "lvols.example.org", vendorVersion: "1.0.0" };
  readonly spdk: SpdkClient;

  constructor(spdk: SpdkClient) {
    super();
    this.spdk = spdk;
  }

  override async createVolume({ name, capacityRange }: CreateVolumeRequest) {
    const capacityBytes = capacityRange?.requiredBytes ?? 0n;
    const sizeMib = Number(capacityBytes / 1024n ** 2n);
    const volumeId = await this.spdk.call("bdev_lvol_create", {
      lvs_name: "lvs0",
      lvol_name: name,
      size_in_mib: sizeMib,
    });
    return { volume: { volumeId, capacityBytes } };
  }

  override async deleteVolume({ volumeId }: DeleteVolumeRequest) {
    await this.spdk.call("bdev_lvol_delete", { name: volumeId });
    return {};
  }

  override async validateVolumeCapabilities({ volumeId, volumeCapabilities }: ValidateVolumeCapabilitiesRequest) {
    await this.spdk.call("bdev_get_bdevs", { name: volumeId });
    return { confirmed: { volumeCapabilities } };
  }
}

async function makeVolume(dir: string): Promise<string> {
  await using target = await Emulator.start({ listen: [`unix://${join(dir, "spdk.sock")}`] });
  await using spdk = connect(target.uris[0] ?? "");
  await spdk.call("bdev_malloc_create", { name: "Malloc0", num_blocks: 2_097_152, block_size: 512 });
  await spdk.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });

  const endpoint = `unix://${join(dir, "csi.sock")}`;
  await using server = await serve(new Lvols(spdk), { endpoint, logger: silentLogger });
  using csi = new CsiClient(server.endpoint);
  const { name } = await csi.identity.getPluginInfo({});
  const { volume } = await csi.controller.createVolume({
    name: "first",
    capacityRange: { requiredBytes: 64n * 1024n ** 2n },
    volumeCapabilities: [{ accessType: { $case: "block", value: {} }, accessMode: { mode: 1 } }],
  });
  const [bdev] = await spdk.call("bdev_get_bdevs", { name: volume?.volumeId ?? "" });
  const bytes = Number(bdev?.num_blocks) * Number(bdev?.block_size);
  if (bytes !== 64 * 1024 ** 2) throw new Error(`the volume has ${bytes} bytes`);
  return `${name} made ${bdev?.aliases?.[0]} of ${bytes} bytes, which the target confirms`;
}

async function format(): Promise<string> {
  const host = fakeHost();
  host.addDevice("/dev/nvme0n1", 1024n ** 3n);
  const records = await openVolumeRecords(host, "/state");
  const request = { device: "/dev/nvme0n1", volumeId: "v1", fsType: "ext4", mayFormat: true } as const;
  const { type, formatted } = await ensureFilesystem(host, records, request);
  if (!formatted) throw new Error("the blank device was not formatted");
  return `${type} on a device of the fake host`;
}

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "program-"));
  try {
    console.log(await makeVolume(dir));
    console.log(await format());
    console.log(`${createDriver(join(dir, "tape-robot")).files.length} files of a new driver`);
  } finally {
    await rm(dir, { recursive: true });
  }
}

void main();
