import type { Uint64 } from "../gen/params.ts";

/** How busy the target's threads are (`thread_get_stats`). */
export interface ThreadStats {
  /** Ticks per second. */
  readonly tick_rate: Uint64;
  readonly threads: readonly {
    readonly name: string;
    readonly id: Uint64;
    /** In hex. */
    readonly cpumask: string;
    /** In ticks. */
    readonly busy: Uint64;
    /** In ticks. */
    readonly idle: Uint64;
    readonly active_pollers_count: Uint64;
    readonly timed_pollers_count: Uint64;
    readonly paused_pollers_count: Uint64;
  }[];
}

/** What the target's threads do over and over (`thread_get_pollers`). */
export interface ThreadPollers {
  /** Ticks per second. */
  readonly tick_rate: Uint64;
  readonly threads: readonly {
    readonly name: string;
    readonly id: Uint64;
    /** Those that always run. */
    readonly active_pollers: readonly Poller[];
    readonly timed_pollers: readonly Poller[];
    readonly paused_pollers: readonly Poller[];
  }[];
}

/** A function that a thread calls over and over. */
export interface Poller {
  readonly name: string;
  readonly id: Uint64;
  readonly state: "waiting" | "running" | "unregistered" | "pausing" | "paused";
  readonly run_count: Uint64;
  /** How often there was something to do. */
  readonly busy_count: Uint64;
  /** Of timed ones. */
  readonly period_ticks?: Uint64;
}

/** What the target's threads have open (`thread_get_io_channels`). */
export interface ThreadIoChannels {
  /** Ticks per second. */
  readonly tick_rate: Uint64;
  readonly threads: readonly {
    readonly name: string;
    readonly io_channels: readonly {
      /** Of the device, such as "bdev_Malloc0". */
      readonly name: string;
      /** How often it is open. */
      readonly ref: number;
    }[];
  }[];
}
