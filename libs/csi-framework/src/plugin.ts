import type { Registry } from "prom-client";

import { checkDrivers } from "./check-drivers.ts";
import type { CsiError } from "./csi-error.ts";
import { CsiDriver, type Drivers } from "./driver.ts";
import type { Interceptor } from "./interceptor.ts";
import { KeyedLocks } from "./keyed-locks.ts";
import { lockCalls } from "./lock-calls.ts";
import { logCalls } from "./log-calls.ts";
import type { Logger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";
import { reportOverdue } from "./report-overdue.ts";
import { traceCalls } from "./trace-calls.ts";
import { translateErrors } from "./translate-errors.ts";
import { validateCalls } from "./validate-calls.ts";

/** How calls are treated, whatever carries them. */
export interface PluginOptions {
  /**
   * Run inside the log, metrics and the trace, and around all else, the first outermost; they see errors as CsiErrors.
   * Default none.
   */
  readonly interceptors?: readonly Interceptor[];
  /** Translates what a driver throws; undefined for what it does not know, which becomes INTERNAL. */
  readonly mapError?: (error: unknown) => CsiError | undefined;
  /** How long a call waits for an object that another call has locked before it is answered ABORTED. Default 0. */
  readonly lockWaitMs?: number;
  /** After how long a method that goes on without its caller is reported in the log. Default 10,000. */
  readonly overdueMs?: number;
  /** Where metrics are registered. Default: nowhere, unless the server serves them itself. */
  readonly metrics?: Registry;
}

/** One driver, or several that make one plugin together. */
export function toDrivers(drivers: CsiDriver | Drivers): Drivers {
  return drivers instanceof CsiDriver ? [drivers] : drivers;
}

/**
 * Puts a plugin together: log, metrics, trace, errors, the caller's own interceptors, validation and locks around the
 * drivers. Throws a TypeError when the drivers contradict CSI (half of a pair, a feature without its method).
 */
export function createPlugin(
  drivers: Drivers,
  logger: Logger,
  track: (work: Promise<unknown>) => void,
  options: PluginOptions = {},
): Pipeline {
  checkDrivers(drivers);
  const { interceptors = [], mapError = () => undefined, lockWaitMs = 0, overdueMs = 10_000 } = options;
  const metrics = options.metrics && createMetrics(drivers[0]?.pluginInfo.name ?? "", options.metrics);
  const errors = translateErrors(mapError);
  const waited = metrics === undefined ? {} : { onWaited: metrics.onWaited };
  return createPipeline({
    drivers,
    logger,
    track,
    outer: [
      logCalls,
      ...(metrics === undefined ? [] : [metrics.interceptor]),
      traceCalls,
      errors,
      ...interceptors,
      errors,
    ],
    inner: [
      validateCalls(drivers),
      lockCalls(new KeyedLocks(), { waitMs: lockWaitMs, ...waited }),
      reportOverdue(overdueMs),
    ],
  });
}
