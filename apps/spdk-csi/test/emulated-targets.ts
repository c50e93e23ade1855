import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Emulator, type EmulatorOptions } from "@org/spdk-emulator";

import type { TargetConfig } from "../src/config/target-config.ts";
import { cleanups, dir, MIB, target } from "./driver-under-test.ts";

export const GIB: bigint = 1024n * MIB;

/** A target with lvstores of these names and sizes. */
export async function startEmulator(
  name: string,
  lvstores: Readonly<Record<string, bigint>>,
  options: Partial<EmulatorOptions> = {},
): Promise<Emulator> {
  const emulator = await Emulator.start({ listen: [`unix://${join(dir, `${name}.sock`)}`], ...options });
  cleanups.push(() => emulator.close());
  for (const [lvs_name, bytes] of Object.entries(lvstores)) {
    const bdev_name = `Malloc-${lvs_name}`;
    await emulator.call("bdev_malloc_create", { name: bdev_name, block_size: 512, num_blocks: Number(bytes / 512n) });
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name, lvs_name, cluster_sz: 4_194_304 });
  }
  return emulator;
}

/** The parameters of a bdev_aio_create. */
export type EmulatedDisk = Readonly<Record<"filename" | "name", string> & Record<"block_size", number>>;

/** Target "a" with an lvstore on a disk that outlasts it; all of it is in the folder "a". */
export async function startOnDisk(): Promise<{ readonly a: Emulator; readonly disk: EmulatedDisk }> {
  const disk = { filename: join(dir, "a", "disk"), name: "disk", block_size: 512 };
  mkdirSync(join(dir, "a"));
  writeFileSync(disk.filename, "");
  truncateSync(disk.filename, Number(256n * MIB));
  const a = await startEmulator("a", {}, { dir: join(dir, "a") });
  await a.call("bdev_aio_create", disk);
  await a.call("bdev_lvol_create_lvstore", { bdev_name: disk.name, lvs_name: "lvs", cluster_sz: 4_194_304 });
  return { a, disk };
}

/** The configuration of a target that {@link startEmulator} started. */
export const config = (name: string, fields: Partial<TargetConfig> = {}): TargetConfig => ({
  ...target(name, `unix://${join(dir, `${name}.sock`)}`),
  ...fields,
});

/** The aliases of its lvols, in order. */
export const lvolNames = async (emulator: Emulator): Promise<string[]> =>
  ((await emulator.call("bdev_lvol_get_lvols")) as { alias: string }[]).map(({ alias }) => alias).toSorted();

/** The target that a volume id names. */
export const targetOf = ({ volumeId }: { volumeId: string }): string => volumeId.slice(0, volumeId.lastIndexOf(":"));
