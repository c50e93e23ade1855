import type { BlockDevice } from "../block/block-device.ts";
import type { IoStatistics } from "../block/io-statistics.ts";

/** What a bdev is used by; only one user writes. */
export type Claim = "none" | "lvstore" | "nvmf" | "external clones" | "module";

/** Kinds of bdevs, as SPDK names them. */
export type ProductName =
  | "Malloc disk"
  | "AIO disk"
  | "NVMe disk"
  | "Null disk"
  | "Logical Volume"
  | "delay"
  | "Error Injection Disk"
  | "passthru"
  | "Raid Volume";

/** A block device of the target. */
export interface Bdev {
  readonly name: string;
  readonly uuid: string;
  readonly productName: ProductName;
  readonly blockSize: number;
  /** The file with its bytes, where there is one. */
  readonly file: string | undefined;
  /** Opens what holds its bytes. */
  open(): BlockDevice;
  /** The bdev that it lies on. */
  readonly base?: Bdev;
  numBlocks: bigint;
  claim: Claim;
  readonly limits: Record<string, number>;
  /** What hosts have done with it; undefined as long as that is nothing. */
  statistics: IoStatistics | undefined;
  /** Whether limits were set while nobody had it open: from v25.09 on they stay as they are until somebody has. */
  limitsFixed: boolean;
  /** Names besides `name` by which it is found. {@link Bdevs.renamed} tells of a change. */
  aliases(): readonly string[];
  driverSpecific(): object;
  /** Whether it cannot be written to. */
  readonly readOnly?: boolean;
  /** Told of bytes that a host has written, and of those that it has given back. */
  onWrite?(offset: number, length: number): void;
  onDeallocate?(offset: number, length: number): void;
  /** Whether memory domains of what is below show through. */
  readonly memoryDomains?: boolean;
  /** Takes part in what happens when it goes. */
  onRemove?: () => void;
}

/** Limits of a bdev without any. */
export function noLimits(): Record<string, number> {
  return { rw_ios_per_sec: 0, rw_mbytes_per_sec: 0, r_mbytes_per_sec: 0, w_mbytes_per_sec: 0 };
}

/** A bdev's size. */
export function sizeBytes({ numBlocks, blockSize }: Bdev): bigint {
  return numBlocks * BigInt(blockSize);
}
