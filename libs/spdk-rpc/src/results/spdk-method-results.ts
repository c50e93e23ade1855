import type { LogLevel } from "../gen/params.ts";
import type { JsonValue } from "../json/json-value.ts";
import type { AccelCryptoKey, AccelModule, AccelOpcAssignments, AccelStats } from "./accel.ts";
import type { Bdev, Histogram, HistogramBorders } from "./bdev.ts";
import type { BdevChannelIostat, BdevIostat } from "./bdev-iostat.ts";
import type {
  BdevNvmeCommandResult,
  BdevNvmeController,
  BdevNvmeDiscovery,
  BdevNvmeHealthInfo,
  BdevNvmeIoPaths,
  BdevNvmePathIostat,
  BdevNvmeTransportStatistics,
} from "./bdev-nvme.ts";
import type { BdevRaid } from "./bdev-raid.ts";
import type {
  FrameworkConfigCall,
  FrameworkGovernor,
  FrameworkPciDevice,
  FrameworkReactors,
  FrameworkScheduler,
  FrameworkSubsystem,
  SpdkVersion,
} from "./framework.ts";
import type { FsdevOptions } from "./fsdev.ts";
import type { IobufModuleStats } from "./iobuf.ts";
import type {
  IscsiAuthGroup,
  IscsiConnection,
  IscsiInitiatorGroup,
  IscsiOptions,
  IscsiPortalGroup,
  IscsiStats,
  IscsiTargetNode,
} from "./iscsi.ts";
import type { KeyringKey } from "./keyring.ts";
import type { LogFlags } from "./log.ts";
import type { Lvol, LvolShallowCopy, LvolShallowCopyStatus, Lvstore } from "./lvol.ts";
import type { NbdDisk } from "./nbd.ts";
import type { NotificationEvent } from "./notify.ts";
import type { NvmfController, NvmfListener, NvmfQpair, NvmfReferral, NvmfSubsystem, NvmfTransport } from "./nvmf.ts";
import type { NvmfStats } from "./nvmf-stats.ts";
import type { ScsiDevice } from "./scsi.ts";
import type { SockDefaultImpl, SockImplOptions } from "./sock.ts";
import type { ThreadIoChannels, ThreadPollers, ThreadStats } from "./thread.ts";
import type { TraceGroups, TraceInfo } from "./trace.ts";

/** The result of a method; `JsonValue` for the methods that {@link SpdkMethodResults} leaves out. */
export type SpdkResult<M extends string> = M extends keyof SpdkMethodResults ? SpdkMethodResults[M] : JsonValue;

/**
 * The results of methods, by the method's name: of those that targets were recorded with. `true` says that something
 * was done (what fails is an error); `boolean` stands where v22.05 may answer `false`.
 */
export interface SpdkMethodResults {
  spdk_get_version: SpdkVersion;
  /** The target ends after its answer. */
  spdk_kill_instance: true;
  /** The names of the methods that the target has. */
  rpc_get_methods: readonly string[];

  framework_disable_cpumask_locks: true;
  framework_enable_cpumask_locks: true;
  framework_get_config: readonly FrameworkConfigCall[];
  framework_get_governor: FrameworkGovernor;
  framework_get_pci_devices: readonly FrameworkPciDevice[];
  framework_get_reactors: FrameworkReactors;
  framework_get_scheduler: FrameworkScheduler;
  framework_get_subsystems: readonly FrameworkSubsystem[];
  framework_monitor_context_switch: { readonly enabled: boolean };
  framework_set_scheduler: true;
  /** The answer comes once everything has started. */
  framework_start_init: true;
  /** The answer comes once everything has started. */
  framework_wait_init: true;
  scheduler_set_options: true;
  thread_get_io_channels: ThreadIoChannels;
  thread_get_pollers: ThreadPollers;
  thread_get_stats: ThreadStats;
  thread_set_cpumask: true;

  /** The file on the target's host that the statistics were written to. */
  env_dpdk_get_mem_stats: { readonly filename: string };
  iobuf_get_stats: readonly IobufModuleStats[];
  iobuf_set_options: true;
  log_clear_flag: true;
  log_enable_timestamps: true;
  log_get_flags: LogFlags;
  log_get_level: LogLevel;
  log_get_print_level: LogLevel;
  log_set_flag: true;
  log_set_level: true;
  log_set_print_level: true;
  /** In the order of their ids; see {@link NotificationEvent} for ids that are not kept. */
  notify_get_notifications: readonly NotificationEvent[];
  notify_get_types: readonly string[];
  sock_get_default_impl: SockDefaultImpl;
  sock_impl_get_options: SockImplOptions;
  sock_impl_set_options: true;
  sock_set_default_impl: true;
  trace_clear: true;
  trace_clear_tpoint_mask: true;
  trace_disable_tpoint_group: true;
  trace_enable_tpoint_group: true;
  trace_get_info: TraceInfo;
  trace_get_tpoint_group_mask: TraceGroups;
  trace_set_tpoint_mask: true;
  vmd_enable: true;
  /** How many devices were found. */
  vmd_rescan: { readonly count: number };

  accel_assign_opc: true;
  accel_crypto_key_create: true;
  accel_crypto_key_destroy: true;
  accel_crypto_keys_get: readonly AccelCryptoKey[];
  accel_error_inject_error: true;
  accel_get_module_info: readonly AccelModule[];
  accel_get_opc_assignments: AccelOpcAssignments;
  accel_get_stats: AccelStats;
  accel_set_options: true;
  ae4dma_scan_accel_module: true;
  ioat_scan_accel_module: true;
  keyring_file_add_key: true;
  keyring_file_remove_key: true;
  keyring_get_keys: readonly KeyringKey[];
  keyring_linux_set_options: true;

  bdev_enable_histogram: boolean;
  bdev_examine: true;
  bdev_get_bdevs: readonly Bdev[];
  bdev_get_histogram: Histogram;
  bdev_get_histogram_borders: HistogramBorders;
  /** With `per_channel` the counters of one bdev, else those of all that were asked for. */
  bdev_get_iostat: BdevIostat | BdevChannelIostat;
  bdev_reset_iostat: true;
  bdev_set_options: true;
  bdev_set_qd_sampling_period: true;
  bdev_set_qos_limit: true;
  bdev_wait_for_examine: true;

  /** The name of the new bdev; so of everything that creates one. */
  bdev_aio_create: string;
  bdev_aio_delete: true;
  /** Up to v22.05 `false` stands for success. */
  bdev_aio_rescan: boolean;
  bdev_crypto_create: string;
  bdev_delay_create: string;
  bdev_delay_delete: true;
  bdev_delay_update_latency: true;
  /** The new bdev is named "EE_" and the base bdev's name. */
  bdev_error_create: true;
  bdev_error_delete: true;
  bdev_error_inject_error: true;
  bdev_error_resume_pending: true;
  bdev_malloc_create: string;
  bdev_malloc_delete: true;
  bdev_null_create: string;
  bdev_null_delete: true;
  bdev_null_resize: true;
  /** The name, even where the base bdev is missing: it comes into being with it. */
  bdev_passthru_create: string;
  bdev_passthru_delete: true;
  bdev_raid_add_base_bdev: true;
  bdev_raid_create: true;
  bdev_raid_delete: true;
  bdev_raid_get_bdevs: readonly BdevRaid[];
  bdev_raid_remove_base_bdev: true;
  bdev_raid_set_options: true;
  /** The names of the parts. */
  bdev_split_create: readonly string[];
  bdev_split_delete: true;
  bdev_zone_block_create: string;
  bdev_zone_block_delete: boolean;
  fsdev_aio_create: string;
  fsdev_aio_delete: true;
  fsdev_get_opts: FsdevOptions;
  fsdev_set_opts: true;

  bdev_nvme_add_error_injection: true;
  /** The names of the new bdevs, one for each namespace. */
  bdev_nvme_attach_controller: readonly string[];
  bdev_nvme_detach_controller: true;
  bdev_nvme_disable_controller: true;
  bdev_nvme_enable_controller: true;
  bdev_nvme_get_controller_health_info: BdevNvmeHealthInfo;
  bdev_nvme_get_controllers: readonly BdevNvmeController[];
  bdev_nvme_get_discovery_info: readonly BdevNvmeDiscovery[];
  bdev_nvme_get_io_paths: BdevNvmeIoPaths;
  bdev_nvme_get_path_iostat: BdevNvmePathIostat;
  bdev_nvme_get_transport_statistics: BdevNvmeTransportStatistics;
  bdev_nvme_remove_error_injection: true;
  bdev_nvme_reset_controller: boolean;
  bdev_nvme_send_cmd: BdevNvmeCommandResult;
  bdev_nvme_set_hotplug: true;
  bdev_nvme_set_keys: true;
  bdev_nvme_set_multipath_policy: true;
  bdev_nvme_set_options: true;
  bdev_nvme_set_preferred_path: true;
  bdev_nvme_start_discovery: true;
  bdev_nvme_stop_discovery: true;

  bdev_lvol_check_shallow_copy: LvolShallowCopyStatus;
  /** The uuid of the clone. */
  bdev_lvol_clone: string;
  /** The uuid of the clone. */
  bdev_lvol_clone_bdev: string;
  /** The uuid of the new lvol, which is its bdev's name as well. */
  bdev_lvol_create: string;
  /** The uuid of the new lvstore. */
  bdev_lvol_create_lvstore: string;
  bdev_lvol_decouple_parent: true;
  bdev_lvol_delete: true;
  bdev_lvol_delete_lvstore: true;
  bdev_lvol_get_lvols: readonly Lvol[];
  bdev_lvol_get_lvstores: readonly Lvstore[];
  bdev_lvol_grow_lvstore: true;
  bdev_lvol_inflate: true;
  bdev_lvol_rename: true;
  bdev_lvol_rename_lvstore: true;
  bdev_lvol_resize: true;
  bdev_lvol_set_parent: true;
  bdev_lvol_set_parent_bdev: true;
  bdev_lvol_set_read_only: true;
  /** The uuid of the snapshot. */
  bdev_lvol_snapshot: string;
  bdev_lvol_start_shallow_copy: LvolShallowCopy;

  nbd_get_disks: readonly NbdDisk[];
  nvmf_create_subsystem: true;
  /** The name of the new target. */
  nvmf_create_target: string;
  nvmf_create_transport: true;
  nvmf_delete_subsystem: true;
  nvmf_delete_target: true;
  nvmf_discovery_add_referral: true;
  nvmf_discovery_get_referrals: readonly NvmfReferral[];
  nvmf_discovery_remove_referral: true;
  nvmf_get_stats: NvmfStats;
  nvmf_get_subsystems: readonly NvmfSubsystem[];
  /** Their names. */
  nvmf_get_targets: readonly string[];
  nvmf_get_transports: readonly NvmfTransport[];
  nvmf_ns_add_host: true;
  nvmf_ns_remove_host: true;
  nvmf_set_config: true;
  nvmf_set_crdt: true;
  nvmf_set_max_subsystems: true;
  nvmf_stop_mdns_prr: true;
  nvmf_subsystem_add_host: true;
  nvmf_subsystem_add_listener: true;
  /** The nsid of the new namespace. */
  nvmf_subsystem_add_ns: number;
  nvmf_subsystem_allow_any_host: true;
  nvmf_subsystem_get_controllers: readonly NvmfController[];
  nvmf_subsystem_get_listeners: readonly NvmfListener[];
  nvmf_subsystem_get_qpairs: readonly NvmfQpair[];
  nvmf_subsystem_listener_set_ana_state: true;
  nvmf_subsystem_remove_host: true;
  nvmf_subsystem_remove_listener: true;
  nvmf_subsystem_remove_ns: true;
  nvmf_subsystem_set_keys: true;
  nvmf_subsystem_set_ns_ana_group: true;

  iscsi_auth_group_add_secret: true;
  iscsi_auth_group_remove_secret: true;
  iscsi_create_auth_group: true;
  iscsi_create_initiator_group: true;
  iscsi_create_portal_group: true;
  iscsi_create_target_node: true;
  iscsi_delete_auth_group: true;
  iscsi_delete_initiator_group: true;
  iscsi_delete_portal_group: true;
  /** The answer takes 30 seconds where an initiator is logged in and does not leave when it is asked to. */
  iscsi_delete_target_node: boolean;
  iscsi_enable_histogram: true;
  iscsi_get_auth_groups: readonly IscsiAuthGroup[];
  iscsi_get_connections: readonly IscsiConnection[];
  iscsi_get_histogram: Histogram;
  iscsi_get_initiator_groups: readonly IscsiInitiatorGroup[];
  iscsi_get_options: IscsiOptions;
  iscsi_get_portal_groups: readonly IscsiPortalGroup[];
  iscsi_get_stats: IscsiStats;
  iscsi_get_target_nodes: readonly IscsiTargetNode[];
  iscsi_initiator_group_add_initiators: true;
  iscsi_initiator_group_remove_initiators: true;
  iscsi_portal_group_set_auth: true;
  iscsi_set_discovery_auth: true;
  iscsi_set_options: true;
  iscsi_start_portal_group: true;
  iscsi_target_node_add_lun: true;
  iscsi_target_node_add_pg_ig_maps: true;
  iscsi_target_node_remove_pg_ig_maps: true;
  iscsi_target_node_request_logout: true;
  iscsi_target_node_set_auth: true;
  iscsi_target_node_set_redirect: true;
  scsi_get_devices: readonly ScsiDevice[];
}
