import type { Interceptor } from "./interceptor.ts";

/**
 * Reports a driver's method that goes on after its caller has gone, by deadline or cancellation: a warning once it has
 * gone on for `graceMs`, and how late it was when it ends. Its locks are held all the while.
 */
export function reportOverdue(graceMs: number): Interceptor {
  return (next) => async (call) => {
    const { signal, logger } = call.context;
    let goneAt: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    const onGone = (): void => {
      goneAt = performance.now();
      timer = setTimeout(() => {
        logger.warn("the driver is still at work although the caller has gone", { sinceMs: graceMs });
      }, graceMs);
      timer.unref();
    };
    if (signal.aborted) onGone();
    else signal.addEventListener("abort", onGone, { once: true });
    try {
      return await next(call);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onGone);
      const lateMs = goneAt === undefined ? 0 : Math.round(performance.now() - goneAt);
      if (lateMs >= graceMs) logger.warn("the driver has ended its work after the caller had gone", { lateMs });
    }
  };
}
