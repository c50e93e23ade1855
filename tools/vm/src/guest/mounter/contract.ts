import { mkdtemp } from "node:fs/promises";

import { linuxHost, nvmeConnector } from "@org/node-mounter";
import { VOLUME_CONTRACT } from "@org/node-mounter/testing";

import type { Check } from "../check.ts";
import type { Target, Volume } from "../target.ts";
import { connectionTo } from "./emulator-volumes.ts";

const MIB = 1024n ** 2n;

/** What volumes promise on the fake and on loop devices, over NVMe/TCP on a real kernel. */
export async function contractGroup(target: Target, check: Check): Promise<void> {
  const host = linuxHost();
  const connector = nvmeConnector(host);
  for (const [index, { title, run }] of VOLUME_CONTRACT.entries()) {
    const volumes: Volume[] = [];
    const dir = await mkdtemp("/mnt/contract-");
    const createVolume = async (sizeBytes: bigint) => {
      const volume = await target.createVolume(`contract-${index}`, Number(sizeBytes / MIB));
      volumes.push(volume);
      return {
        connection: connectionTo(volume),
        async grow(newSize: bigint) {
          await target.rpc("bdev_lvol_resize", { name: volume.uuid, size_in_mib: Number(newSize / MIB) });
        },
      };
    };
    await check(title, () => run({ host, connector, dir, createVolume }));
    for (const volume of volumes) await target.remove(volume);
  }
}
