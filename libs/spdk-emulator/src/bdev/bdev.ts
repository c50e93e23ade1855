import { Notifications } from "../framework/notifications.ts";
import { errno } from "../rpc/rpc-error.ts";

/** What a bdev is used by; only one user writes. */
export type Claim = "none" | "lvstore" | "nvmf";

/** A block device of the target. */
export interface Bdev {
  readonly name: string;
  readonly uuid: string;
  readonly productName: "Malloc disk" | "AIO disk" | "Logical Volume";
  readonly blockSize: number;
  readonly file: string;
  numBlocks: bigint;
  claim: Claim;
  readonly limits: Record<string, number>;
  /** Names besides `name` by which it is found. */
  aliases(): readonly string[];
  driverSpecific(): object;
}

/** Limits of a bdev without any. */
export function noLimits(): Record<string, number> {
  return { rw_ios_per_sec: 0, rw_mbytes_per_sec: 0, r_mbytes_per_sec: 0, w_mbytes_per_sec: 0 };
}

/** Every bdev of a target, by its name, uuid and aliases. */
export class Bdevs {
  readonly notifications: Notifications = new Notifications();
  /** Told of a bdev that has got another size. */
  onResize: (bdev: Bdev) => void = () => undefined;
  readonly #byName = new Map<string, Bdev>();

  /** Adds a bdev; EEXIST when its name or uuid is taken. */
  add(bdev: Bdev): void {
    if (this.find(bdev.name) !== undefined || this.find(bdev.uuid) !== undefined) throw errno("EEXIST");
    this.#byName.set(bdev.name, bdev);
    this.notifications.add("bdev_register", bdev.name);
  }

  remove(bdev: Bdev): void {
    if (this.#byName.delete(bdev.name)) this.notifications.add("bdev_unregister", bdev.name);
  }

  /** Gives a bdev another size. */
  resize(bdev: Bdev, numBlocks: bigint): void {
    if (bdev.numBlocks === numBlocks) return;
    bdev.numBlocks = numBlocks;
    this.notifications.add("bdev_resize", bdev.name);
    this.onResize(bdev);
  }

  all(): Bdev[] {
    return [...this.#byName.values()];
  }

  find(name: string): Bdev | undefined {
    return this.#byName.get(name) ?? this.all().find((bdev) => bdev.uuid === name || bdev.aliases().includes(name));
  }

  get(name: string): Bdev {
    const bdev = this.find(name);
    if (bdev === undefined) throw errno("ENODEV");
    return bdev;
  }
}

const IO_TYPES = [
  "read",
  "write",
  "unmap",
  "flush",
  "reset",
  "nvme_admin",
  "nvme_io",
  "nvme_io_md",
  "write_zeroes",
  "zcopy",
  "get_zone_info",
  "zone_management",
  "zone_append",
  "compare",
  "compare_and_write",
  "abort",
  "seek_hole",
  "seek_data",
  "copy",
  "nvme_iov_md",
  "nvme_nssr",
  "write_uncorrectable",
] as const;

const SUPPORTED: Readonly<Record<Bdev["productName"], readonly string[]>> = {
  "Malloc disk": ["read", "write", "unmap", "flush", "reset", "write_zeroes", "zcopy", "compare", "abort", "copy"],
  "AIO disk": ["read", "write", "flush", "reset", "write_zeroes"],
  "Logical Volume": ["read", "write", "unmap", "reset", "write_zeroes", "seek_hole", "seek_data"],
};

/** One entry of bdev_get_bdevs. */
export function describeBdev(bdev: Bdev): object {
  const supported = SUPPORTED[bdev.productName];
  return {
    name: bdev.name,
    aliases: bdev.aliases(),
    product_name: bdev.productName,
    block_size: bdev.blockSize,
    num_blocks: bdev.numBlocks,
    preferred_write_alignment: 0,
    preferred_write_granularity: 0,
    optimal_write_size: 0,
    preferred_unmap_alignment: 0,
    preferred_unmap_granularity: 0,
    uuid: bdev.uuid,
    ...(bdev.productName === "Malloc disk" && { numa_id: -1 }),
    assigned_rate_limits: { ...bdev.limits },
    claimed: bdev.claim !== "none",
    ...(bdev.claim === "lvstore" && { claim_type: "read_many_write_one" }),
    ...(bdev.claim === "nvmf" && { claim_type: "exclusive_write" }),
    zoned: false,
    supported_io_types: Object.fromEntries(IO_TYPES.map((type) => [type, supported.includes(type)])),
    driver_specific: bdev.driverSpecific(),
  };
}
