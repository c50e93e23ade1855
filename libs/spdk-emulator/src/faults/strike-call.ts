import type { Reply } from "../rpc/dispatcher.ts";
import { RpcError } from "../rpc/rpc-error.ts";
import type { CallFault } from "./fault.ts";
import type { Faults } from "./faults.ts";

/** What a call can be made to do. */
export interface FaultyCall {
  run(then: Reply): void;
  fail(error: RpcError): void;
  reply: Reply;
  close(): void;
}

/** Makes a fault happen to a call. */
export function strikeCall(faults: Faults, fault: CallFault, call: FaultyCall): void {
  if (fault.when !== "after") strike(faults, fault, call);
  else if (fault.effect === "delay") call.run((text) => later(fault, () => call.reply(text)));
  else call.run(() => strike(faults, fault, call));
}

function strike(faults: Faults, fault: CallFault, call: FaultyCall): void {
  const { effect, code = -32603, message = "Injected fault" } = fault;
  if (effect === "error") call.fail(new RpcError(code, message));
  else if (effect === "delay") later(fault, () => call.run(call.reply));
  else if (effect === "close") call.close();
  else if (effect === "hang") faults.setHanging(true);
  else if (effect === "crash") faults.crash();
  // What is dropped gets nothing.
}

function later({ delayMs = 0 }: CallFault, then: () => void): void {
  setTimeout(then, delayMs);
}
