import type { Interceptor } from "./interceptor.ts";
import { validateRequest } from "./validate-request.ts";

/** Answers INVALID_ARGUMENT to requests that break the table's rules, so that a driver never sees them. */
export const validateCalls: Interceptor = (next) => async (call) => {
  validateRequest(call.rpc, call.request);
  return next(call);
};
