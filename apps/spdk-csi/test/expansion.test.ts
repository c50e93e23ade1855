import type { Emulator } from "@org/spdk-emulator";
import { describe, expect, it } from "vitest";

import { create, csi, MIB, start, status, useDriver } from "./driver-under-test.ts";
import { config, GIB, startEmulator } from "./emulated-targets.ts";

useDriver();

describe("expansion", () => {
  const expand = (volumeId: string, requiredBytes: bigint) =>
    csi.controller.controllerExpandVolume({ volumeId, capacityRange: { requiredBytes } });
  const sizeOf = async (a: Emulator, name: string): Promise<bigint> => {
    const [bdev] = (await a.call("bdev_get_bdevs", { name })) as { num_blocks: number; block_size: number }[];
    return BigInt(bdev?.num_blocks ?? 0) * BigInt(bdev?.block_size ?? 0);
  };

  it("is in clusters of the volume's own lvstore, which the config need not name, whatever else is missing", async () => {
    const a = await startEmulator("a", { named: GIB, other: GIB });
    const uuid = await a.call("bdev_lvol_create", { lvs_name: "other", lvol_name: "by-hand", size_in_mib: 64 });
    await start([config("a", { lvstores: ["named", "missing"] })]);
    expect(await expand(`a:${String(uuid)}`, 65n * MIB)).toMatchObject({ capacityBytes: 68n * MIB });
    expect(await sizeOf(a, "other/by-hand")).toBe(68n * MIB);
  });

  it("says so when another controller's late resize has shrunk the volume meanwhile, and grows it when repeated", async () => {
    const a = await startEmulator("a", { lvs: 4n * GIB });
    await start([config("a")]);
    const { volumeId } = await create("v");
    a.addFault({ method: "bdev_lvol_resize", effect: "delay", when: "after", delayMs: 100, times: 1 });
    const expanded = status(expand(volumeId, 1024n * MIB));
    await expect.poll(() => sizeOf(a, "lvs/v")).toBe(GIB);
    await a.call("bdev_lvol_resize", { name: "lvs/v", size_in_mib: 512 });
    expect(await expanded).toMatchObject({ code: "ABORTED", details: expect.stringContaining(`has ${512n * MIB}`) });
    expect(await expand(volumeId, 1024n * MIB)).toMatchObject({ capacityBytes: GIB });
  });
});
