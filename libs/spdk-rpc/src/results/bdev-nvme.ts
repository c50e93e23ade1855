import type { NvmeAnaState, Uint64 } from "../gen/params.ts";
import type { BdevIoCounters } from "./bdev-iostat.ts";

/** Where an NVMe controller is: what is known of it, as its transport names it. */
export interface NvmeTransportId {
  /** "TCP", "RDMA", "PCIe", "VFIOUSER". */
  readonly trtype: string;
  /** "IPv4" or "IPv6". */
  readonly adrfam?: string;
  /** The address: of a local drive its place on the PCI bus. */
  readonly traddr: string;
  /** The port, as a string. */
  readonly trsvcid?: string;
  readonly subnqn?: string;
}

/** The state of a namespace over one path. */
export type NvmeNamespaceAnaState = NvmeAnaState | "persistent_loss" | "change";

/** A path of an NVMe bdev: the namespace, as one controller shows it. */
export interface BdevNvmeNamespace {
  /** Of local drives alone. */
  readonly pci_address?: string;
  readonly trid: NvmeTransportId;
  /** The character device that `bdev_nvme_cuse_register` made. */
  readonly cuse_device?: string;
  readonly ctrlr_data: {
    readonly cntlid: number;
    /** Such as "0x8086". */
    readonly vendor_id: string;
    readonly model_number: string;
    readonly serial_number: string;
    readonly firmware_revision: string;
    readonly subnqn?: string;
    /** Optional admin commands: 1 where the controller has them. */
    readonly oacs: {
      readonly security: number;
      readonly format: number;
      readonly firmware: number;
      readonly ns_manage: number;
    };
    readonly multi_ctrlr: boolean;
    readonly ana_reporting: boolean;
  };
  readonly vs: {
    /** Such as "1.4". */
    readonly nvme_version: string;
  };
  readonly ns_data: {
    readonly id: number;
    /** Where the controller reports it. */
    readonly ana_state?: NvmeNamespaceAnaState;
    readonly can_share: boolean;
  };
  /** Where the controller has security commands. */
  readonly security?: { readonly opal: boolean };
}

/** The controllers under one name, one for each path (`bdev_nvme_get_controllers`). */
export interface BdevNvmeController {
  readonly name: string;
  readonly ctrlrs: readonly BdevNvmePath[];
}

/** A controller of another target, or of a local drive, that this target is connected to. */
export interface BdevNvmePath {
  readonly state: "deleting" | "failed" | "resetting" | "reconnect_is_delayed" | "disabled" | "enabled";
  readonly cuse_device?: string;
  readonly trid: NvmeTransportId;
  /** Where it fails over to; from v23.09 on. */
  readonly alternate_trids?: readonly NvmeTransportId[];
  readonly cntlid: number;
  readonly host: {
    readonly nqn: string;
    /** The address to connect from; empty for any. */
    readonly addr: string;
    /** The port to connect from; empty for any. */
    readonly svcid: string;
    /** From v26.05 on. */
    readonly no_shn_notification?: boolean;
  };
  /** The NUMA node, where it is known; from v24.09 on. */
  readonly numa_id?: number;
}

/** The paths of I/O in each thread (`bdev_nvme_get_io_paths`); a thread has them while it has a bdev open. */
export interface BdevNvmeIoPaths {
  readonly poll_groups: readonly {
    readonly thread: string;
    readonly io_paths: readonly BdevNvmeIoPath[];
  }[];
}

/** A path of an NVMe bdev in one thread. */
export interface BdevNvmeIoPath {
  readonly bdev_name: string;
  readonly cntlid: number;
  /** Whether the next I/O takes it. */
  readonly current: boolean;
  readonly connected: boolean;
  readonly accessible: boolean;
  readonly transport: Omit<NvmeTransportId, "subnqn">;
}

/** The counters of each path of an NVMe bdev (`bdev_nvme_get_path_iostat`, where `io_path_stat` is on; from v23.01 on). */
export interface BdevNvmePathIostat {
  readonly name: string;
  readonly stats: readonly {
    readonly trid: NvmeTransportId;
    readonly stat: BdevIoCounters;
  }[];
}

/** The counters of the transports in each thread (`bdev_nvme_get_transport_statistics`). */
export interface BdevNvmeTransportStatistics {
  readonly poll_groups: readonly {
    readonly thread: string;
    readonly transports: readonly BdevNvmeTransportCounters[];
  }[];
}

/** The counters of one transport. Others than TCP have their own. */
export interface BdevNvmeTransportCounters {
  readonly trname: string;
  readonly polls?: Uint64;
  readonly idle_polls?: Uint64;
  readonly socket_completions?: Uint64;
  readonly nvme_completions?: Uint64;
  readonly queued_requests?: Uint64;
  readonly submitted_requests?: Uint64;
  readonly [counter: string]: string | Uint64 | readonly object[] | undefined;
}

/** The health of a controller, as it tells it (`bdev_nvme_get_controller_health_info`). Counters have up to 128 bits. */
export interface BdevNvmeHealthInfo {
  readonly model_number: string;
  readonly serial_number: string;
  readonly firmware_revision: string;
  readonly traddr: string;
  /** A bit for each warning (NVMe base specification, SMART log); zero is well. */
  readonly critical_warning: Uint64;
  /** Below zero it wraps: SPDK's own target, which measures nothing, shows 2^64 - 273. */
  readonly temperature_celsius: Uint64;
  readonly available_spare_percentage: Uint64;
  readonly available_spare_threshold_percentage: Uint64;
  readonly percentage_used: Uint64;
  /** In thousands of 512 bytes. */
  readonly data_units_read: Uint64;
  /** In thousands of 512 bytes. */
  readonly data_units_written: Uint64;
  readonly host_read_commands: Uint64;
  readonly host_write_commands: Uint64;
  /** In minutes. */
  readonly controller_busy_time: Uint64;
  readonly power_cycles: Uint64;
  readonly power_on_hours: Uint64;
  readonly unsafe_shutdowns: Uint64;
  readonly media_errors: Uint64;
  readonly num_err_log_entries: Uint64;
  readonly warning_temperature_time_minutes: Uint64;
  readonly critical_composite_temperature_time_minutes: Uint64;
  /** Of the sensors that measure something, the last one counts: the name comes once for each. */
  readonly temperature_sensor_celsius?: Uint64;
}

/** A discovery service that is followed (`bdev_nvme_get_discovery_info`). */
export interface BdevNvmeDiscovery {
  readonly name: string;
  /** Where it is. */
  readonly trid: NvmeTransportId;
  /** The discovery services that it has named; at first only itself. */
  readonly referrals: readonly { readonly trid: NvmeTransportId }[];
}

/** What a command that was passed through gave (`bdev_nvme_send_cmd`): bytes in URL-safe base64. */
export interface BdevNvmeCommandResult {
  /** The completion queue entry, 16 bytes. */
  readonly cpl: string;
  /** Of commands that read. */
  readonly data?: string;
  readonly metadata?: string;
}
