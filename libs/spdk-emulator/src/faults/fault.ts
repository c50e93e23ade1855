/** What a fault does to a call. */
export const CALL_EFFECTS = ["error", "delay", "drop", "close", "hang", "crash"] as const;

/** What a fault does to an I/O of a host. */
export const IO_EFFECTS = ["error", "delay", "drop", "close", "freeze", "hang", "crash"] as const;

/** Kinds of I/O, as bdevs see them. */
export const IO_KINDS = ["read", "write", "flush", "unmap", "write_zeroes"] as const;

/** A kind of I/O, as bdevs see it. */
export type IoKind = (typeof IO_KINDS)[number];

/** When a fault happens. */
interface Occurrence {
  /** Whether it happens before the call or I/O has had its effect, or after. Default "before". */
  readonly when?: "before" | "after";
  /** The first that it happens to, 1 being the next. Default 1. */
  readonly nth?: number;
  /** How many it happens to. Default: one with `nth`, else all. */
  readonly times?: number;
  /** Default 0. */
  readonly delayMs?: number;
}

/** A fault of calls: to which of which method it happens, and what happens. */
export interface CallFault extends Occurrence {
  /** A method, or `*` for any. */
  readonly method: string;
  /**
   * `error`: fails with `code` and `message`. `delay`: waits `delayMs`. `drop`: no reply. `close`: the connection is cut.
   * `hang`: the whole target answers nothing any more, hosts included. `crash`: the target is gone.
   */
  readonly effect: (typeof CALL_EFFECTS)[number];
  /** Default -32603. */
  readonly code?: number;
  /** Default "Injected fault". */
  readonly message?: string;
}

/** A fault of what hosts read and write over NVMe/TCP. */
export interface IoFault extends Occurrence {
  /** A bdev by its name, uuid or alias, or `*` for any. */
  readonly bdev: string;
  /** Default: any kind. */
  readonly io?: IoKind;
  /** Only what touches the `length` bytes from `offset` on. Default: the whole bdev. A flush touches all of it. */
  readonly offset?: number;
  /** Default: all that follows. */
  readonly length?: number;
  /**
   * `error`: fails with `status`. `delay`: waits `delayMs`. `drop`: is never completed. `close`: the queue's connection is
   * cut. `freeze`: waits until the fault is removed. `hang` and `crash`: as for calls.
   */
  readonly effect: (typeof IO_EFFECTS)[number];
  /** Status code type and status code, as 0x281 for an unrecovered read error. Default 0x006, internal error: EIO. */
  readonly status?: number;
}

/** What is to go wrong: a call, or I/O. */
export type Fault = CallFault | IoFault;
