import type { JsonValue } from "./json.ts";

/** An integer of SPDK: a bigint where it exceeds 2^53. */
export type Uint64 = number | bigint;

/** `spdk_get_version`. */
export interface SpdkVersion {
  readonly version: string;
  readonly fields: {
    readonly major: number;
    readonly minor: number;
    readonly patch: number;
    readonly suffix: string;
    readonly commit?: string;
  };
}

/** A logical volume's part of `bdev_get_bdevs`. Fields that came later are optional. */
export interface LvolDriverSpecific {
  readonly lvol_store_uuid: string;
  readonly base_bdev: string;
  readonly thin_provision: boolean;
  /** From v24.05 on. */
  readonly num_allocated_clusters?: Uint64;
  readonly snapshot: boolean;
  readonly clone: boolean;
  /** The name, without the lvstore, of the snapshot under a clone. */
  readonly base_snapshot?: string;
  /** The names, without the lvstore, of a snapshot's clones. */
  readonly clones?: readonly string[];
  /** From v23.05 on. */
  readonly esnap_clone?: boolean;
}

/** One entry of `bdev_get_bdevs`. */
export interface Bdev {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly product_name: string;
  readonly block_size: number;
  readonly num_blocks: Uint64;
  readonly uuid: string;
  readonly claimed: boolean;
  readonly claim_type?: string;
  readonly zoned: boolean;
  readonly driver_specific?: { readonly lvol?: LvolDriverSpecific };
}

/** One entry of `bdev_lvol_get_lvstores`; sizes in bytes. */
export interface LvolStore {
  readonly uuid: string;
  readonly name: string;
  readonly base_bdev: string;
  readonly total_data_clusters: Uint64;
  readonly free_clusters: Uint64;
  readonly block_size: Uint64;
  readonly cluster_size: Uint64;
  /** From v26.01 on. */
  readonly max_growable_size?: Uint64;
}

/** One entry of `bdev_lvol_get_lvols` (v23.05 and later). */
export interface LvolEntry {
  readonly alias: string;
  readonly uuid: string;
  readonly name: string;
  readonly is_thin_provisioned: boolean;
  readonly is_snapshot: boolean;
  readonly is_clone: boolean;
  readonly is_esnap_clone: boolean;
  readonly is_degraded: boolean;
  readonly num_allocated_clusters?: Uint64;
  readonly lvs: { readonly name: string; readonly uuid: string };
}

/** Where a subsystem listens. */
export interface ListenAddress {
  readonly trtype: string;
  readonly adrfam: string;
  readonly traddr: string;
  readonly trsvcid: string;
}

/** One entry of `nvmf_get_subsystems`. */
export interface NvmfSubsystem {
  readonly nqn: string;
  readonly subtype: string;
  readonly listen_addresses: readonly ListenAddress[];
  readonly allow_any_host: boolean;
  readonly hosts: readonly { readonly nqn: string; readonly dhchap_key?: string; readonly dhchap_ctrlr_key?: string }[];
  readonly serial_number?: string;
  readonly model_number?: string;
  readonly max_namespaces?: number;
  readonly namespaces?: readonly {
    readonly nsid: number;
    readonly bdev_name: string;
    readonly name: string;
    readonly nguid?: string;
    readonly uuid?: string;
    readonly anagrpid?: number;
  }[];
}

/** One entry of `nvmf_subsystem_get_controllers`. */
export interface NvmfController {
  readonly cntlid: number;
  readonly hostnqn: string;
  readonly hostid: string;
  readonly num_io_qpairs: number;
}

/** What the methods of this client's users return. */
interface Results {
  readonly spdk_get_version: SpdkVersion;
  readonly rpc_get_methods: readonly string[];
  readonly bdev_get_bdevs: readonly Bdev[];
  readonly bdev_malloc_create: string;
  readonly bdev_malloc_delete: boolean;
  readonly bdev_aio_create: string;
  readonly bdev_aio_delete: boolean;
  readonly bdev_wait_for_examine: boolean;
  readonly bdev_lvol_create_lvstore: string;
  readonly bdev_lvol_delete_lvstore: boolean;
  readonly bdev_lvol_rename_lvstore: boolean;
  readonly bdev_lvol_get_lvstores: readonly LvolStore[];
  readonly bdev_lvol_get_lvols: readonly LvolEntry[];
  readonly bdev_lvol_create: string;
  readonly bdev_lvol_snapshot: string;
  readonly bdev_lvol_clone: string;
  readonly bdev_lvol_rename: boolean;
  readonly bdev_lvol_resize: boolean;
  readonly bdev_lvol_delete: boolean;
  readonly bdev_lvol_inflate: boolean;
  readonly bdev_lvol_decouple_parent: boolean;
  readonly bdev_lvol_set_read_only: boolean;
  readonly nvmf_create_transport: boolean;
  readonly nvmf_get_transports: readonly { readonly trtype: string }[];
  readonly nvmf_create_subsystem: boolean;
  readonly nvmf_delete_subsystem: boolean;
  readonly nvmf_get_subsystems: readonly NvmfSubsystem[];
  readonly nvmf_subsystem_add_ns: number;
  readonly nvmf_subsystem_remove_ns: boolean;
  readonly nvmf_subsystem_add_host: boolean;
  readonly nvmf_subsystem_remove_host: boolean;
  readonly nvmf_subsystem_allow_any_host: boolean;
  readonly nvmf_subsystem_add_listener: boolean;
  readonly nvmf_subsystem_remove_listener: boolean;
  readonly nvmf_subsystem_get_controllers: readonly NvmfController[];
}

/** What a method returns; `JsonValue` where this version has no type for it. */
export type SpdkResult<M extends string> = M extends keyof Results ? Results[M] : JsonValue;
