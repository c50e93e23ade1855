import { CsiError } from "./csi-error.ts";
import { RPCS } from "./gen/rpcs.ts";
import type { Call, CallHandler, Interceptor } from "./interceptor.ts";
import type { KeyedLocks } from "./keyed-locks.ts";
import { fieldValues } from "./message-fields.ts";
import { METHODS } from "./methods.ts";

/** How calls wait for what is locked. */
export interface LockOptions {
  /** How long a call waits before it is answered ABORTED; 0: not at all. */
  readonly waitMs: number;
  /** Told how long a call has waited, in milliseconds, and whether it got its locks. */
  readonly onWaited?: (call: Call, waitedMs: number, outcome: "acquired" | "refused") => void;
}

/**
 * Locks what a call changes (the table says which fields name it) until the call and the work it holds have settled, and
 * answers ABORTED to a call for something that stays locked (CSI "Concurrency"). The node side has locks of its own, so
 * that a controller and a node in one process block each other no more than in two.
 */
export function lockCalls(locks: KeyedLocks, { waitMs, onWaited }: LockOptions): Interceptor {
  return (next) => async (call) => {
    const wanted = lockedObjects(call);
    if (wanted.size === 0) return next(call);
    const startedAt = performance.now();
    const lock = await locks.acquire([...wanted.keys()], waitMs, call.context.signal);
    onWaited?.(call, performance.now() - startedAt, "release" in lock ? "acquired" : "refused");
    if ("heldKey" in lock) throw new CsiError("ABORTED", `another call for ${wanted.get(lock.heldKey)} is in flight`);
    return runHolding(next, call, lock.release);
  };
}

async function runHolding(next: CallHandler, call: Call, release: () => void): Promise<object | undefined> {
  const held: Promise<unknown>[] = [];
  const hold = (work: Promise<unknown>): void => {
    held.push(work);
    call.context.hold(work);
  };
  try {
    return await next({ ...call, context: { ...call.context, hold } });
  } finally {
    // Nobody waits for this: the caller gets its answer now, the locks go when the held work has settled.
    void settled(held).then(release);
  }
}

/** Waits for work that may itself hold more work. */
async function settled(work: Promise<unknown>[]): Promise<void> {
  while (work.length > 0) await Promise.allSettled(work.splice(0));
}

/** What a call locks: keys, and how to name each of them to people. */
function lockedObjects({ rpc, request }: Call): Map<string, string> {
  const { request: message, service } = RPCS[rpc];
  const scope = service === "Node" ? "node" : "controller";
  const objects = new Map<string, string>();
  for (const { field, value } of fieldValues(message, request)) {
    const kind = METHODS[rpc].locks[field.name];
    if (kind === undefined) continue;
    const names: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const name of names) objects.set(`${scope} ${kind} ${String(name)}`, `${kind} ${String(name)}`);
  }
  return objects;
}
