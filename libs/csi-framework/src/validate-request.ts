import { CsiError } from "./csi-error.ts";
import { RPCS, type RpcMethod } from "./gen/rpcs.ts";
import { METHODS } from "./methods.ts";
import { findFault } from "./validate-message.ts";

/** Throws INVALID_ARGUMENT, naming the field as the proto does, when a request breaks one of the table's rules. */
export function validateRequest(rpc: RpcMethod, request: object): void {
  const fault = findFault(RPCS[rpc].request, request, METHODS[rpc].required);
  if (fault !== undefined) throw CsiError.invalidArgument(fault);
}
