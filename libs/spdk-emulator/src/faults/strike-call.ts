import type { Reply } from "../rpc/handler.ts";
import { RpcError } from "../rpc/rpc-error.ts";
import type { CallFault } from "./fault.ts";
import type { Faults } from "./faults.ts";

/** What a call can be made to do. */
export interface FaultyCall {
  run(then: Reply): void;
  fail(error: RpcError): void;
  reply: Reply;
  /** It gets no reply. */
  drop(): void;
  /** Its connection is cut. */
  close(): void;
}

/** Makes a fault happen to a call. */
export function strikeCall(faults: Faults, fault: CallFault, call: FaultyCall): void {
  if (fault.when !== "after") strike(faults, fault, call);
  // It has been run: what follows has its reply.
  else call.run((text) => strike(faults, fault, { ...call, run: (then) => then(text) }));
}

function strike(faults: Faults, fault: CallFault, call: FaultyCall): void {
  const { effect, code = -32603, message = "Injected fault" } = fault;
  switch (effect) {
    case "error":
      call.fail(new RpcError(code, message));
      break;
    case "delay":
      setTimeout(() => call.run(call.reply), fault.delayMs ?? 0);
      break;
    case "close":
      call.drop();
      call.close();
      break;
    case "hang":
      faults.hang();
      faults.afterHang(() => call.run(call.reply));
      break;
    case "crash":
      faults.crash();
      break;
    default:
      call.drop();
  }
}
