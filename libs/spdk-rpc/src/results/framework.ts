import type { Uint64 } from "../gen/params.ts";
import type { JsonObject, JsonValue } from "../json/json-value.ts";

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

/** A part of the target (`framework_get_subsystems`), in the order of their start. */
export interface FrameworkSubsystem {
  readonly subsystem: string;
  readonly depends_on: readonly string[];
}

/** A call that brings back a part of the configuration (`framework_get_config`). */
export interface FrameworkConfigCall {
  readonly method: string;
  readonly params?: JsonObject;
}

/** A local PCI device that the target drives (`framework_get_pci_devices`). */
export interface FrameworkPciDevice {
  /** Such as "0000:01:00.0". */
  readonly address: string;
  /** Such as "nvme"; from v23.01 on. */
  readonly type?: string;
  /** From v26.05 on. */
  readonly numa_id?: number;
  /** In hex. */
  readonly config_space?: string;
}

/** The target's event loops, one for each core (`framework_get_reactors`). */
export interface FrameworkReactors {
  /** Ticks per second. */
  readonly tick_rate: Uint64;
  /** Of the target's process; from v24.09 on. */
  readonly pid?: Uint64;
  readonly reactors: readonly FrameworkReactor[];
}

/** One event loop. */
export interface FrameworkReactor {
  /** The core. */
  readonly lcore: number;
  /** The NUMA node; from v26.05 on. */
  readonly numa_id?: number;
  /** Of the system's thread; from v24.09 on. */
  readonly tid?: Uint64;
  /** In ticks. */
  readonly busy: Uint64;
  /** In ticks. */
  readonly idle: Uint64;
  readonly in_interrupt: boolean;
  /** Jiffies of the core in interrupts since the target's start; from v24.05 on, as the two that follow. */
  readonly irq?: Uint64;
  /** In the kernel. */
  readonly sys?: Uint64;
  /** In programs. */
  readonly usr?: Uint64;
  /** In MHz, with a governor. */
  readonly core_freq?: number;
  readonly lw_threads: readonly {
    readonly name: string;
    readonly id: Uint64;
    /** In hex. */
    readonly cpumask: string;
    /** In ticks, since its start. */
    readonly elapsed: Uint64;
  }[];
}

/** How threads are spread over cores (`framework_get_scheduler`). */
export interface FrameworkScheduler {
  /** "static", "dynamic" or "gscheduler". */
  readonly scheduler_name: string;
  /** In microseconds; zero where it never looks. */
  readonly scheduler_period: Uint64;
  /** Cores that are left alone, in hex; from v24.09 on. */
  readonly isolated_core_mask?: string;
  /** From v24.09 on. */
  readonly scheduling_core?: number;
  readonly governor_name?: string;
  /** In percent; this and the two that follow of the dynamic scheduler. */
  readonly load_limit?: number;
  /** In percent. */
  readonly core_limit?: number;
  /** In percent. */
  readonly core_busy?: number;
}

/** What sets the cores' frequencies (`framework_get_governor`, from v24.09 on): empty where nothing does. */
export interface FrameworkGovernor {
  readonly governor_name?: string;
  readonly module_specific?: { readonly [name: string]: JsonValue };
  readonly cores?: readonly {
    readonly lcore_id: number;
    /** In kHz. */
    readonly available_frequencies: readonly number[];
    /** In kHz. */
    readonly current_frequency: number;
  }[];
}
