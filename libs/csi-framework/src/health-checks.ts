import type { ProbeResponse } from "./gen/csi.ts";
import type { Health } from "./http-endpoint.ts";
import type { KubeletRegistration } from "./kubelet-registration.ts";
import type { Pipeline } from "./pipeline.ts";

const PROBE_TIMEOUT_MS = 5_000;

/** What decides beside the driver's Probe. */
export interface HealthCheckOptions {
  readonly isClosing: () => boolean;
  readonly kubelet: KubeletRegistration | undefined;
}

/** Whether the plugin works, and whether it can serve calls now. */
export interface HealthChecks {
  readonly healthy: () => Promise<Health>;
  readonly ready: () => Promise<Health>;
}

/**
 * /healthz is what Probe says, within five seconds, so that a plugin whose Probe hangs is restarted. /readyz says no,
 * too, while the plugin is closing or kubelet has refused to register it.
 */
export function createHealthChecks(pipeline: Pipeline, { isClosing, kubelet }: HealthCheckOptions): HealthChecks {
  const healthy = async (): Promise<Health> => {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const late = new Promise<Health>((resolve) => {
      signal.addEventListener("abort", () => resolve(bad(`Probe has not answered within ${PROBE_TIMEOUT_MS} ms`)));
    });
    const probe = pipeline
      .unary("probe", { request: {}, metadata: {}, signal, deadline: Date.now() + PROBE_TIMEOUT_MS })
      .then(
        (answer): Health => ((answer as ProbeResponse).ready === false ? bad("the driver is not ready") : { ok: true }),
      )
      .catch((error: unknown): Health => bad(error instanceof Error ? error.message : String(error)));
    return Promise.race([probe, late]);
  };
  const ready = async (): Promise<Health> => {
    if (isClosing()) return bad("the plugin is closing");
    if (kubelet?.state === "refused") return bad("kubelet has refused to register the driver");
    return healthy();
  };
  return { healthy, ready };
}

function bad(reason: string): Health {
  return { ok: false, reason };
}
