import type { Uint64 } from "../gen/params.ts";

/** How a module got on with the shared buffers (`iobuf_get_stats`, from v24.01 on). */
export interface IobufModuleStats {
  readonly module: string;
  readonly small_pool: IobufPoolStats;
  readonly large_pool: IobufPoolStats;
}

/** How often buffers came from where. */
export interface IobufPoolStats {
  /** From the thread's own. */
  readonly cache: Uint64;
  /** From those of all. */
  readonly main: Uint64;
  /** When there were none. */
  readonly retry: Uint64;
  /** How many buffers the threads keep; from v26.05 on. */
  readonly cache_size?: number;
}
