/** Where traces are written, and which (`trace_get_info`, from v23.01 on). Masks are in hex. */
export interface TraceInfo {
  readonly tpoint_shm_path: string;
  readonly tpoint_group_mask: string;
  /** By group, such as "bdev" or "nvmf_tcp". */
  readonly [group: string]: string | TraceGroupMask;
}

/** A group of tracepoints, and which of them are on. */
export interface TraceGroupMask {
  readonly mask: string;
  readonly tpoint_mask: string;
}

/** Which tracepoints there are (`trace_get_tpoint_group_mask`). Masks are in hex. */
export interface TraceGroups {
  readonly tpoint_group_mask: string;
  /** By group, such as "bdev" or "nvmf_tcp". */
  readonly [group: string]: string | TraceGroup;
}

/** A group of tracepoints. */
export interface TraceGroup {
  /** Whether any of them is on. */
  readonly enabled: boolean;
  readonly mask: string;
  /** From v26.05 on. */
  readonly tpoint_mask?: string;
  /** From v26.05 on. */
  readonly tpoints?: readonly {
    readonly name: string;
    /** The bit in `tpoint_mask`. */
    readonly tpoint_id: number;
    readonly enabled: boolean;
  }[];
}
