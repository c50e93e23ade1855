import { context, propagation, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

import { CsiError } from "./csi-error.ts";
import { RPCS } from "./gen/rpcs.ts";
import type { Interceptor } from "./interceptor.ts";

const INSTRUMENTATION = "@org/csi-framework";

/**
 * Makes a span of each call, child of the caller's where its metadata names one, and the active one while the driver is
 * at work. Without an OpenTelemetry SDK in the process this does nothing.
 */
export const traceCalls: Interceptor = (next) => (call) => {
  const { service, name } = RPCS[call.rpc];
  const parent = propagation.extract(context.active(), call.metadata);
  const attributes = { "rpc.system": "grpc", "rpc.service": `csi.v1.${service}`, "rpc.method": name };
  const tracer = trace.getTracer(INSTRUMENTATION);
  return tracer.startActiveSpan(
    `csi.v1.${service}/${name}`,
    { kind: SpanKind.SERVER, attributes },
    parent,
    async (span: Span) => {
      try {
        return await next({ ...call, context: { ...call.context, span } });
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof CsiError ? error.code : "INTERNAL" });
        throw error;
      } finally {
        span.end();
      }
    },
  );
};
