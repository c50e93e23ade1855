import { randomUUID } from "node:crypto";

import type { BlockDevice } from "../block/block-device.ts";
import { type Bdev, noLimits, type ProductName } from "./bdev.ts";

/** What a bdev that is found by its uuid beside its name is made of. */
export interface DiskBdevSpec {
  readonly name: string;
  readonly uuid: string | undefined;
  readonly productName: ProductName;
  readonly blockSize: number;
  readonly numBlocks: bigint;
  readonly file: string | undefined;
  readonly open: () => BlockDevice;
  readonly driverSpecific: (bdev: Bdev) => object;
  readonly onRemove?: () => void;
}

/** Makes a bdev in memory; its file is the caller's. */
export function diskBdev(spec: DiskBdevSpec): Bdev {
  const { uuid: given, driverSpecific, ...rest } = spec;
  const uuid = given ?? randomUUID();
  const aliases = [uuid];
  const bdev: Bdev = {
    ...rest,
    uuid,
    claim: "none",
    limits: noLimits(),
    limitsFixed: false,
    statistics: undefined,
    aliases: () => aliases,
    driverSpecific: () => driverSpecific(bdev),
  };
  return bdev;
}
