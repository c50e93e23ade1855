import type { IoKind } from "../faults/fault.ts";
import type { ByteRange } from "./block-device.ts";

/** What a host wants of a bdev. */
export interface BdevIo {
  readonly kind: IoKind;
  /** The bytes that it touches; none for a flush. */
  readonly ranges: readonly ByteRange[];
}

/** Who has sent an I/O. */
export interface IoClient {
  /** Whether it is still there to hear the answer. */
  alive(): boolean;
  /** Cuts its connection. */
  close(): void;
}
