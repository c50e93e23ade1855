import { setTimeout as sleep } from "node:timers/promises";

/** What the work comes to, or `late` when it takes longer than `ms`; the work goes on. */
export async function within<T, L>(work: Promise<T>, ms: number, late: L): Promise<T | L> {
  const timer = new AbortController();
  const expired = sleep(ms, late, { signal: timer.signal, ref: false });
  return Promise.race([work, expired]).finally(() => timer.abort());
}
