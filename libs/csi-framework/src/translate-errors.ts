import { CsiError } from "./csi-error.ts";
import type { Call, Interceptor } from "./interceptor.ts";

/** Translates what a driver throws; undefined for what it does not know. */
export type MapError = (error: unknown) => CsiError | undefined;

/** Turns whatever a call throws into a CsiError. What nobody knows becomes INTERNAL: its detail is for the log only. */
export function translateErrors(mapError: MapError): Interceptor {
  return (next) => async (call) => {
    try {
      return await next(call);
    } catch (error) {
      throw translate(error, call, mapError);
    }
  };
}

function translate(error: unknown, { context }: Call, mapError: MapError): CsiError {
  if (error instanceof CsiError) return error;
  const mapped = mapError(error);
  if (mapped !== undefined) return mapped;
  // A driver that gave up because its caller had gone rejects with some AbortError; the signal knows why it had to.
  if (context.signal.aborted && context.signal.reason instanceof CsiError) {
    return new CsiError(context.signal.reason.code, context.signal.reason.message, { cause: error });
  }
  return internalError(error, context.requestId);
}

/** INTERNAL with nothing in it but the id by which the log knows more. */
export function internalError(cause: unknown, requestId: string): CsiError {
  return new CsiError("INTERNAL", `internal error; the driver's log has more under request id ${requestId}`, { cause });
}
