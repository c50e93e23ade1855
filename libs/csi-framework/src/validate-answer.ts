import { RPCS, type RpcMethod } from "./gen/rpcs.ts";
import { METHODS } from "./methods.ts";
import { findFault } from "./validate-message.ts";

/** A driver's answer breaks the protocol: its own fault, which the caller learns of as INTERNAL and the log in full. */
export class InvalidAnswerError extends Error {
  override readonly name = "InvalidAnswerError";
}

/** Throws an {@link InvalidAnswerError} that names the field when an answer breaks one of the table's rules. */
export function validateAnswer(rpc: RpcMethod, answer: object): void {
  const fault = findFault(RPCS[rpc].answer, answer, METHODS[rpc].answers);
  if (fault !== undefined)
    throw new InvalidAnswerError(`the driver's answer to ${RPCS[rpc].name} is not valid: ${fault}`);
}
