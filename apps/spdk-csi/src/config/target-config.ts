import type { TlsOptions } from "@org/spdk-rpc";

/** The fabrics over which a target can be told to export. */
export const TARGET_TYPES = ["nvme-tcp"] as const;

/** One of {@link TARGET_TYPES}. */
export type TargetType = (typeof TARGET_TYPES)[number];

/** Where nodes connect to a target. */
export interface Portal {
  /** An IPv4 or IPv6 address, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** Base bdevs that a target can be told to attach, and SPDK's method for each. */
export const BDEV_METHODS = {
  aio: "bdev_aio_create",
  malloc: "bdev_malloc_create",
  nvme: "bdev_nvme_attach_controller",
  uring: "bdev_uring_create",
} as const;

/** A base bdev that is attached again when a target has lost it, as with every restart. */
export interface BdevConfig {
  readonly kind: keyof typeof BDEV_METHODS;
  /** The bdev's name, or that of an NVMe controller. */
  readonly name: string;
  /** The method's parameters as SPDK names them, `name` included. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** User and password of a target's HTTP proxy. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** One SPDK target of the config. */
export interface TargetConfig {
  /** Its name in volume ids; never changed while volumes exist. */
  readonly name: string;
  /** Where its JSON-RPC is reached: every URI that spdk-rpc's `connect` takes. */
  readonly rpcUrl: string;
  readonly targetType: TargetType;
  /** Each is a listener of every export; at least one. */
  readonly portals: readonly Portal[];
  /** For its HTTP proxy; a request's secrets serve where the config has none. */
  readonly credentials?: Credentials;
  /** For a proxy on HTTPS. */
  readonly tls?: TlsOptions;
  /** The lvstores that take volumes, all of which must be there. Default: whichever the target has. */
  readonly lvstores?: readonly string[];
  /** Attached again after a restart of the target; an lvstore is never made. */
  readonly bdevs: readonly BdevConfig[];
  /** Whether what was unmapped on the base bdevs reads as zeroes: else volumes are cleared by writing zeroes. */
  readonly zeroesOnUnmap: boolean;
  /** Takes no new volumes, and is not asked whether it has one; for a target that is dead or about to go. */
  readonly cordoned: boolean;
  /** Topology segments that the target's volumes are reached from, by label. Empty: from everywhere. */
  readonly topology: Readonly<Record<string, string>>;
  /**
   * The folder on the target's own disk with DH-HMAC-CHAP keys, each in a file of mode 0600: `host.key`, which every host
   * has to prove, and `ctrlr.key` where the target has to prove one, too.
   */
  readonly keyDir?: string;
  /** Whether the target proves `ctrlr.key` to hosts; only with `keyDir`. Default false. */
  readonly mutualAuthentication?: boolean;
}
