import { RpcError, undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import type { Lvol } from "./lvol.ts";
import { storedLvol } from "./lvstore-log.ts";

/** What the handlers of lvols share. */
export interface LvolContext {
  readonly state: TargetState;
  readonly version: Version;
}

const MAX_NAME_BYTES = 63;
const MIB = 1024n ** 2n;
const CLEAR_METHODS = ["none", "unmap", "write_zeroes"];

/** How a size is given: `size_in_mib` from v23.05 on, `size` in bytes up to v24.01. */
export const SIZE_SHAPE = { size_in_mib: "uint64? 23.05-", size: "uint64? -24.01" } as const;

/** Whether a name can be one of an lvol or lvstore. */
export function isName(name: string): boolean {
  return name !== "" && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/** The size that a request gives. */
export function readSize({
  size_in_mib: mib,
  size: bytes,
}: {
  size_in_mib?: bigint | undefined;
  size?: bigint | undefined;
}): bigint {
  if ((mib === undefined) === (bytes === undefined)) throw undecodable();
  return bytes ?? (mib ?? 0n) * MIB;
}

/** Refuses a clear method that is none; up to v25.05 in the method's own words, which are `words`. */
export function checkClearMethod(method: string | undefined, version: Version, words: string): void {
  if (method === undefined || CLEAR_METHODS.includes(method)) return;
  throw version.from("25.09") ? undecodable() : new RpcError(-22, words);
}

/** A real target's metadata operations end in a later poll than they began. */
export function nextPoll(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs an operation that takes time; a second one on the same lvol meanwhile is refused, at once. */
export function exclusively<T>(lvol: Lvol, busy: RpcError, work: () => Promise<T>): Promise<T> {
  if (lvol.busy) throw busy;
  lvol.busy = true;
  return runExclusively(lvol, work);
}

async function runExclusively<T>(lvol: Lvol, work: () => Promise<T>): Promise<T> {
  try {
    await nextPoll();
    const result = await work();
    // Whoever came with it finds it under way.
    await nextPoll();
    return result;
  } finally {
    lvol.busy = false;
  }
}

/** Keeps the state of lvols, all of them at once. */
export async function keep(...lvols: readonly [Lvol, ...Lvol[]]): Promise<void> {
  await lvols[0].store.log?.commit({ put: lvols.map(storedLvol) });
}
