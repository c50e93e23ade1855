/** What can happen to a driver at a call to its backend. */
export const FAULT_KINDS = ["fails before", "fails after", "dies before", "dies after"] as const;

/**
 * The call is rejected, before or after it had its effect; or the process dies there, and a new one begins with nothing but
 * what the backend has.
 */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** A call of the driver to its backend. */
export interface BackendCall {
  /** The RPC that made it, as the proto writes it. */
  readonly rpc: string;
  /** The how-manieth RPC of the scenario that was, from 1. */
  readonly step: number;
  /** The how-manieth call of that RPC, from 1; calls of repeated tries count on. */
  readonly number: number;
  /** The backend's method, or what the options call it. */
  readonly method: string;
}

/** What a planted failure rejects with, unless the options say otherwise. */
export class PlantedFailure extends Error {
  override readonly name = "PlantedFailure";
}
