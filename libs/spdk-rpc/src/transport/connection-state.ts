import type { SpdkVersion } from "../results/framework.ts";

/** What a client's connection is doing. */
export type ConnectionState =
  /** There is none; the next call makes one. */
  | { readonly status: "idle" }
  /** The `attempt`-th attempt in a row is under way. */
  | { readonly status: "connecting"; readonly attempt: number }
  /** Calls are sent. Over HTTP: the last exchange went well. */
  | { readonly status: "connected"; readonly version?: SpdkVersion }
  /** The last attempt failed or the connection was lost, and calls wait for the next attempt. */
  | { readonly status: "waiting"; readonly attempt: number; readonly retryInMs: number; readonly error: unknown }
  /** The client was closed. */
  | { readonly status: "closed" };

/** The state of a connection over which calls go. */
export function connectedState(version: SpdkVersion | undefined): ConnectionState {
  return version === undefined ? { status: "connected" } : { status: "connected", version };
}

/** Whether a change from one state to the other is none that anybody needs to hear of. */
export function isSameState(a: ConnectionState, b: ConnectionState): boolean {
  if (a.status === "connected" && b.status === "connected") return a.version === b.version;
  return a.status === "idle" && b.status === "idle";
}
