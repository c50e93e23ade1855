import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { invalidParams } from "../rpc/rpc-error.ts";

/** What a target keeps; older ones are gone. */
const KEPT = 1024;

const TYPES = ["fsdev_register", "fsdev_unregister", "bdev_register", "bdev_unregister", "bdev_resize"] as const;

interface Notification {
  readonly type: (typeof TYPES)[number];
  /** The name of the object. */
  readonly ctx: string;
  readonly id: number;
}

/** The target's log of what came, went and changed its size. */
export class Notifications {
  #events: Notification[] = [];
  #next = 0;

  add(type: Notification["type"], ctx: string): void {
    this.#events.push({ type, ctx, id: this.#next });
    this.#next += 1;
    if (this.#events.length >= 2 * KEPT) this.#events = this.#events.slice(-KEPT);
  }

  /** The kept ones with this id or a higher one, the oldest first. */
  from(id: bigint, max: bigint): readonly Notification[] {
    const found = this.#events.slice(-KEPT).filter((event) => BigInt(event.id) >= id);
    return BigInt(found.length) > max ? found.slice(0, Number(max)) : found;
  }
}

/** notify_get_types and notify_get_notifications. */
export function notificationHandlers(notifications: Notifications): Handlers {
  return {
    notify_get_types: () => TYPES,
    notify_get_notifications: (params = {}) => {
      const { id = 0n, max = BigInt(KEPT) } = decode(
        params,
        { id: "uint64?", max: "uint64?" },
        invalidParams("EINVAL"),
      );
      return notifications.from(id, max);
    },
  };
}
