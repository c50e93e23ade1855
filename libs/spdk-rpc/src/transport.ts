import type { PendingCall } from "./pending-call.ts";

/** Carries requests to a target and ends each of them, with the target's answer or without. */
export interface Transport {
  /** Takes a call that is to be sent after all those taken before. */
  submit(call: PendingCall): void;
  /** Ends every call at once and lets go of the connection. */
  close(): Promise<void>;
}
