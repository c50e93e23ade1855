import type { Uint64 } from "../gen/params.ts";

/**
 * A RAID bdev (`bdev_raid_get_bdevs`), as v24.01 and later show it. Up to v23.09 the base bdevs are names alone, and up
 * to v22.09 the RAID bdevs are, too.
 */
export interface BdevRaid {
  readonly name: string;
  readonly uuid: string;
  /** In KiB; zero for raid1. */
  readonly strip_size_kb: number;
  readonly state: "online" | "configuring" | "offline";
  readonly raid_level: "raid0" | "raid1" | "raid5f" | "concat";
  /** Whether its base bdevs name it, so that it comes back by itself. */
  readonly superblock: boolean;
  readonly num_base_bdevs: number;
  /** How many of them are there. */
  readonly num_base_bdevs_discovered: number;
  /** How many of them are in use. */
  readonly num_base_bdevs_operational: number;
  /** What goes on in the background, while it does. */
  readonly process?: BdevRaidProcess;
  readonly base_bdevs_list: readonly BdevRaidBaseBdev[];
}

/** A process that runs over a whole RAID bdev. */
export interface BdevRaidProcess {
  readonly type: "rebuild" | "none";
  /** The base bdev that is filled. */
  readonly target: string;
  readonly progress: {
    readonly blocks: Uint64;
    readonly percent: number;
  };
}

/** A member of a RAID bdev. */
export interface BdevRaidBaseBdev {
  /** `null` where it is missing. */
  readonly name: string | null;
  /** All zeroes where it is not known. */
  readonly uuid: string;
  readonly is_configured: boolean;
  /** Where the data begins, in blocks. */
  readonly data_offset: Uint64;
  /** In blocks. */
  readonly data_size: Uint64;
}
