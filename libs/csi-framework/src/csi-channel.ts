import type { RpcMethod } from "./gen/rpcs.ts";

/** How long a caller waits, and what it sends along. */
export interface CallLimits {
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** In milliseconds; without it the caller waits as long as it takes. */
  readonly timeoutMs?: number;
  /** gRPC metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What carries calls to a plugin: a socket, or in tests the plugin's own pipeline. Failed calls reject with a CsiError. */
export interface CsiChannel {
  /** Makes a call that has one answer. The request is complete: no field is left out. */
  unary(rpc: RpcMethod, request: object, limits: CallLimits): Promise<object>;
  /** Makes a call that has a stream of answers. */
  stream(rpc: RpcMethod, request: object, limits: CallLimits): AsyncIterable<object>;
  /** Lets go of the plugin. */
  close(): void;
}
