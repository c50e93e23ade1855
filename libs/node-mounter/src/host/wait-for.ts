import type { Host } from "./host.ts";

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;

/** How an answer is waited for. */
export interface WaitLimits {
  /** Milliseconds until the wait is given up. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** A directory whose changes make it worth asking at once. Default /dev. */
  readonly watch?: string | undefined;
}

/**
 * Asks until there is an answer: at once, then whenever a directory changes, and after pauses that grow to half a second
 * because sysfs tells of no change. Undefined at the deadline or the abort.
 */
export async function waitFor<T>(
  host: Host,
  ask: () => Promise<T | undefined>,
  { timeoutMs, signal, watch = "/dev" }: WaitLimits,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const answer = await ask();
    const leftMs = deadline - performance.now();
    if (answer !== undefined || leftMs <= 0 || signal?.aborted === true) return answer;
    await host.files.change(watch, { timeoutMs: Math.min(pauseMs, leftMs), signal });
  }
}
