import type { CallContext } from "./call-context.ts";
import type { RpcMethod } from "./gen/rpcs.ts";

/** One call on its way to the driver. */
export interface Call {
  /** The driver's method, for example "createVolume". */
  readonly rpc: RpcMethod;
  /** The decoded request: one of the generated request types. */
  readonly request: object;
  readonly context: CallContext;
  /** The texts of the call's gRPC metadata, by their names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Runs a call. It resolves with the response; for a server stream with undefined, once the stream has ended. */
export type CallHandler = (call: Call) => Promise<object | undefined>;

/** Wraps every call: `(next) => (call) => Promise<response>`. */
export type Interceptor = (next: CallHandler) => CallHandler;
