import { CsiError } from "./csi-error.ts";
import type { Drivers } from "./driver.ts";
import { findUnoffered } from "./find-unoffered.ts";
import type { Interceptor } from "./interceptor.ts";
import { validateAnswer } from "./validate-answer.ts";
import { validateRequest } from "./validate-request.ts";

/**
 * Answers INVALID_ARGUMENT to requests that break the table's rules or ask for what the drivers do not offer, so that a
 * driver never sees them; and lets no answer out that breaks the protocol.
 */
export function validateCalls(drivers: Drivers): Interceptor {
  return (next) => async (call) => {
    validateRequest(call.rpc, call.request);
    const unoffered = findUnoffered(drivers, call);
    if (unoffered !== undefined) throw CsiError.invalidArgument(unoffered);
    const answer = await next(call);
    // What a stream sends is checked message by message.
    if (answer !== undefined) validateAnswer(call.rpc, answer);
    return answer;
  };
}
