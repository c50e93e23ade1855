import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";

/** What subscribers to {@link CALL_CHANNEL} are given; Node.js adds `result` or `error`. */
export interface CallTrace {
  /** The target's URI, without credentials. */
  readonly uri: string;
  readonly method: string;
  /** The parameters, secrets masked. */
  readonly params: unknown;
}

/**
 * The name of the `diagnostics_channel` tracing channel that each call is published on: `tracing:<name>:start`,
 * `:asyncStart`, `:asyncEnd`, `:error`. Results can hold secrets (`iscsi_get_auth_groups`): a subscriber decides.
 */
export const CALL_CHANNEL = "@org/spdk-rpc:call";

/** Published to by every client. */
export const callChannel: TracingChannel<unknown, CallTrace> = tracingChannel<unknown, CallTrace>(CALL_CHANNEL);
