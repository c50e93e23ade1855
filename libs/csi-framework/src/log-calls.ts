import { CsiError, type CsiErrorCode } from "./csi-error.ts";
import { RPCS } from "./gen/rpcs.ts";
import type { Interceptor } from "./interceptor.ts";
import type { LogFields } from "./logger.ts";
import { maskSecrets, secretsOf } from "./mask-secrets.ts";
import { METHODS } from "./methods.ts";
import { redact } from "./redact.ts";

/** Statuses that mean a fault on our side rather than an answer. */
const FAULTS: ReadonlySet<CsiErrorCode> = new Set<CsiErrorCode>(["INTERNAL", "UNKNOWN", "DATA_LOSS"]);

/** Logs each call as it comes, redacted, and as it ends: at the level of the table, failures as warnings or errors. */
export const logCalls: Interceptor = (next) => async (call) => {
  const { request: message } = RPCS[call.rpc];
  const { logger } = call.context;
  // For what others write: the lines of this interceptor hold nothing of the request but what is redacted.
  const masked = maskSecrets(logger, secretsOf(message, call.request));
  const level = METHODS[call.rpc].logLevel;
  const startedAt = performance.now();
  const durationMs = (): number => Math.round(performance.now() - startedAt);
  logger[level]("call", { request: redact(message, call.request) });
  try {
    const response = await next({
      ...call,
      context: masked === logger ? call.context : { ...call.context, logger: masked },
    });
    logger[level]("answered", { code: "OK", durationMs: durationMs() });
    return response;
  } catch (error) {
    const code = error instanceof CsiError ? error.code : "INTERNAL";
    masked[FAULTS.has(code) ? "error" : "warn"]("failed", { code, durationMs: durationMs(), ...detail(error) });
    throw error;
  }
};

function detail(error: unknown): LogFields {
  if (!(error instanceof CsiError)) return { cause: error };
  return { error: error.message, ...(error.cause === undefined ? {} : { cause: error.cause }) };
}
