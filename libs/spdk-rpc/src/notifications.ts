import { setTimeout as sleep } from "node:timers/promises";

import type { CallOptions } from "./call-options.ts";
import { SpdkConnectionError, SpdkTimeoutError } from "./errors.ts";
import type { Uint64 } from "./gen/params.ts";

/** Something that happened in the target. */
export interface SpdkNotification {
  /** Counted by the target since its start. */
  readonly id: Uint64;
  /** Such as "bdev_register" and "bdev_unregister" (`notify_get_types`). */
  readonly type: string;
  /** The name of the object, such as the bdev's. */
  readonly ctx: string;
  /** How many notifications were gone before this one because nobody read them in time; 0 as a rule. */
  readonly missed: bigint;
}

/** What to follow, and how. */
export interface NotificationOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** How often the target is asked, in milliseconds; 1,000 by default. */
  readonly pollMs?: number;
  /** From where on: "now" by default, or "oldest" for all that the target still has. */
  readonly from?: "now" | "oldest";
}

type Event = Omit<SpdkNotification, "missed">;

/** Asks the target for notifications from an id on (`notify_get_notifications`). */
export type ReadNotifications = (
  params: { readonly id: Uint64 },
  options: CallOptions,
) => Promise<readonly Omit<SpdkNotification, "missed">[]>;

/** Asks again and again, and gives what is new. */
export async function* followNotifications(
  ask: ReadNotifications,
  { signal, pollMs = 1_000, from = "now" }: NotificationOptions,
): AsyncGenerator<SpdkNotification, void, undefined> {
  let last: Event | undefined;
  let isSkipping = from === "now";
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    // The last one that is known is read again, to recognise the target by it.
    const events = await read(ask, last?.id ?? 0, signal);
    if (events !== undefined && last !== undefined && !continues(last, events)) {
      last = undefined;
      continue;
    }
    if (events !== undefined) {
      const fresh = events.filter(({ id }) => last === undefined || BigInt(id) > BigInt(last.id));
      if (!isSkipping) yield* countMissed(last, fresh);
      isSkipping = false;
      last = events.at(-1) ?? last;
    }
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** What the target has from an id on; undefined while it cannot be asked. */
async function read(
  ask: ReadNotifications,
  id: Uint64,
  signal: AbortSignal | undefined,
): Promise<readonly Event[] | undefined> {
  try {
    return await ask({ id }, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted === true) return undefined;
    const passes =
      error instanceof SpdkTimeoutError ||
      (error instanceof SpdkConnectionError && (error.reason === "lost" || error.reason === "unreachable"));
    if (passes) return undefined;
    throw error;
  }
}

/** Whether events come from the target that sent `last`: one that has started anew counts from 0 again. */
function continues(last: Event, [first]: readonly Event[]): boolean {
  if (first === undefined) return false;
  if (BigInt(first.id) > BigInt(last.id)) return true;
  return first.type === last.type && first.ctx === last.ctx;
}

function* countMissed(last: Event | undefined, events: readonly Event[]): Generator<SpdkNotification> {
  let expected = last === undefined ? 0n : BigInt(last.id) + 1n;
  for (const event of events) {
    const id = BigInt(event.id);
    yield { ...event, missed: id - expected };
    expected = id + 1n;
  }
}
