import type { Uint64 } from "../gen/params.ts";

/**
 * Something that happened in the target (`notify_get_notifications`). It keeps the last 1,024: who asks for an older
 * one gets what is kept from the oldest on, without an error; who asks for one that is to come gets none.
 */
export interface NotificationEvent {
  /** Such as "bdev_register"; `notify_get_types` names them. */
  readonly type: string;
  /** The name of the object, cut off after 128 bytes. */
  readonly ctx: string;
  /** From zero on since the target's start, without gaps. */
  readonly id: Uint64;
}
