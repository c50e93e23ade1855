import { Gauge, Histogram, type Registry } from "prom-client";

import { CsiError } from "./csi-error.ts";
import { RPCS } from "./gen/rpcs.ts";
import type { Call, Interceptor } from "./interceptor.ts";
import type { LockOptions } from "./lock-calls.ts";

/** The buckets of csi-lib-utils, so that one dashboard fits all drivers. */
const SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];
const WAIT_SECONDS = [0.001, 0.01, 0.1, 0.5, 1, 5, 30, 120];

/** The metrics of a plugin. */
export interface CsiMetrics {
  /** Counts and times calls. */
  readonly interceptor: Interceptor;
  /** Times how long calls wait for locks. */
  readonly onWaited: NonNullable<LockOptions["onWaited"]>;
}

/** The name of an RPC as csi-lib-utils labels it: "/csi.v1.Controller/CreateVolume". */
export function methodName({ rpc }: Call): string {
  return `/csi.v1.${RPCS[rpc].service}/${RPCS[rpc].name}`;
}

/**
 * Registers the plugin's metrics: `csi_operations_seconds` with `driver_name`, `method_name` and `grpc_status_code`, named
 * as csi-lib-utils names them; `csi_operations_in_flight`; `csi_lock_wait_seconds` with the `outcome` "acquired" or
 * "refused".
 */
export function createMetrics(driverName: string, registry: Registry): CsiMetrics {
  const registers = [registry];
  const operations = new Histogram({
    name: "csi_operations_seconds",
    help: "Duration of CSI calls",
    labelNames: ["driver_name", "method_name", "grpc_status_code"],
    buckets: SECONDS,
    registers,
  });
  const inFlight = new Gauge({
    name: "csi_operations_in_flight",
    help: "CSI calls that the driver is working on",
    labelNames: ["driver_name", "method_name"],
    registers,
  });
  const waits = new Histogram({
    name: "csi_lock_wait_seconds",
    help: "How long CSI calls waited for other calls on the same object",
    labelNames: ["driver_name", "method_name", "outcome"],
    buckets: WAIT_SECONDS,
    registers,
  });

  const interceptor: Interceptor = (next) => async (call) => {
    const labels = { driver_name: driverName, method_name: methodName(call) };
    const startedAt = performance.now();
    const observe = (code: string): void => {
      inFlight.dec(labels);
      operations.observe({ ...labels, grpc_status_code: code }, (performance.now() - startedAt) / 1000);
    };
    inFlight.inc(labels);
    try {
      const response = await next(call);
      observe("OK");
      return response;
    } catch (error) {
      observe(error instanceof CsiError ? statusName(error.code) : "Internal");
      throw error;
    }
  };
  const onWaited: CsiMetrics["onWaited"] = (call, waitedMs, outcome) => {
    waits.observe({ driver_name: driverName, method_name: methodName(call), outcome }, waitedMs / 1000);
  };
  return { interceptor, onWaited };
}

/** As Go's gRPC writes codes: "NotFound", "OK", and "Canceled" with one l. */
function statusName(code: string): string {
  if (code === "CANCELLED") return "Canceled";
  return code.replace(/_?([A-Z])([A-Z]*)/g, (_match, first: string, rest: string) => first + rest.toLowerCase());
}
