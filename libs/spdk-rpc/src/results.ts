import type { BdevIostat } from "./bdev-iostat.ts";
import type { Bdev, Lvol, Lvstore } from "./bdev-results.ts";
import type { JsonValue } from "./json/json-value.ts";
import type { NvmfController, NvmfListener, NvmfSubsystem, NvmfTransport } from "./nvmf-results.ts";

/** What a target says of itself (`spdk_get_version`). */
export interface SpdkVersion {
  /** The whole, such as "SPDK v26.09-pre git sha1 3230130e6a". */
  readonly version: string;
  readonly fields: {
    readonly major: number;
    readonly minor: number;
    readonly patch: number;
    /** "-pre" between releases, else empty. */
    readonly suffix: string;
    /** The git commit, where the target was built from a repository. */
    readonly commit?: string;
  };
}

/** The result of a method; `JsonValue` for the methods that {@link SpdkMethodResults} leaves out. */
export type SpdkResult<M extends string> = M extends keyof SpdkMethodResults ? SpdkMethodResults[M] : JsonValue;

/** The results of the methods that a storage driver uses, by the method's name. */
export interface SpdkMethodResults {
  spdk_get_version: SpdkVersion;
  /** The names of the methods that the target has. */
  rpc_get_methods: readonly string[];

  bdev_get_bdevs: readonly Bdev[];
  /** The name of the new bdev. */
  bdev_malloc_create: string;
  bdev_malloc_delete: boolean;
  /** The name of the new bdev. */
  bdev_aio_create: string;
  bdev_aio_delete: boolean;
  bdev_aio_rescan: boolean;
  bdev_wait_for_examine: boolean;
  bdev_get_iostat: BdevIostat;
  bdev_set_qos_limit: boolean;

  bdev_lvol_get_lvstores: readonly Lvstore[];
  /** The uuid of the new lvstore. */
  bdev_lvol_create_lvstore: string;
  bdev_lvol_delete_lvstore: boolean;
  bdev_lvol_rename_lvstore: boolean;
  bdev_lvol_grow_lvstore: boolean;
  bdev_lvol_get_lvols: readonly Lvol[];
  /** The uuid of the new lvol, which is its bdev's name as well. */
  bdev_lvol_create: string;
  /** The uuid of the snapshot. */
  bdev_lvol_snapshot: string;
  /** The uuid of the clone. */
  bdev_lvol_clone: string;
  /** The uuid of the clone. */
  bdev_lvol_clone_bdev: string;
  bdev_lvol_delete: boolean;
  bdev_lvol_resize: boolean;
  bdev_lvol_rename: boolean;
  bdev_lvol_set_read_only: boolean;
  bdev_lvol_set_parent: boolean;
  bdev_lvol_decouple_parent: boolean;
  bdev_lvol_inflate: boolean;

  nvmf_create_transport: boolean;
  nvmf_get_transports: readonly NvmfTransport[];
  nvmf_create_subsystem: boolean;
  nvmf_delete_subsystem: boolean;
  nvmf_get_subsystems: readonly NvmfSubsystem[];
  /** The nsid of the new namespace. */
  nvmf_subsystem_add_ns: number;
  nvmf_subsystem_remove_ns: boolean;
  nvmf_subsystem_add_host: boolean;
  nvmf_subsystem_remove_host: boolean;
  nvmf_subsystem_set_keys: boolean;
  nvmf_subsystem_allow_any_host: boolean;
  nvmf_subsystem_add_listener: boolean;
  nvmf_subsystem_remove_listener: boolean;
  nvmf_subsystem_listener_set_ana_state: boolean;
  nvmf_subsystem_get_listeners: readonly NvmfListener[];
  nvmf_subsystem_get_controllers: readonly NvmfController[];
}
