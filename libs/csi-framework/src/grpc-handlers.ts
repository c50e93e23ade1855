import { randomUUID } from "node:crypto";
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { CallContext } from "./call-context.ts";
import { rpcMethods } from "./capabilities.ts";
import { CsiError } from "./csi-error.ts";
import { type DriverMethod, findMethod, unimplemented } from "./dispatch.ts";
import type { Drivers } from "./driver.ts";
import { RPCS, type RpcMethod, type ServiceName } from "./gen/rpcs.ts";
import { toGrpcStatus } from "./grpc-status.ts";
import type { CallHandler, Interceptor } from "./interceptor.ts";
import { type Logger, withFields } from "./logger.ts";
import { validateCalls } from "./validate-calls.ts";

/** What the handlers of all RPCs share. */
export interface Handling {
  readonly drivers: Drivers;
  readonly logger: Logger;
  /** Run around every call, the first outermost. */
  readonly outer: readonly Interceptor[];
  /** Run around calls that a driver offers, after validation. */
  readonly inner: readonly Interceptor[];
  /** Told of all work that must be waited for before the process may go. */
  readonly track: (work: Promise<unknown>) => void;
}

type ServerCall = ServerUnaryCall<object, object> | ServerWritableStream<object, object>;

/** The handlers of one service, as grpc-js wants them. */
export function grpcHandlers(service: ServiceName, handling: Handling): UntypedServiceImplementation {
  const methods = rpcMethods().filter((rpc) => RPCS[rpc].service === service);
  return Object.fromEntries(
    methods.map((rpc) => [rpc, RPCS[rpc].stream ? streamHandler(rpc, handling) : unaryHandler(rpc, handling)]),
  );
}

function unaryHandler(rpc: RpcMethod, handling: Handling): handleUnaryCall<object, object> {
  const method = findMethod(handling.drivers, rpc);
  const handle = wrap(
    rpc,
    handling,
    method && (async ({ request, context }) => complete(rpc, await answer(method, request, context))),
  );
  return (call, callback) => {
    const work = handle({ rpc, request: call.request, context: contextOf(rpc, call, handling) });
    handling.track(work);
    work.then(
      (response) => callback(null, response ?? {}),
      (error: unknown) => callback(toGrpcStatus(error)),
    );
  };
}

function streamHandler(rpc: RpcMethod, handling: Handling): handleServerStreamingCall<object, object> {
  const method = findMethod(handling.drivers, rpc);
  return (call) => {
    const send = method && streaming(rpc, method, call);
    const handle = wrap(rpc, handling, send);
    const work = handle({ rpc, request: call.request, context: contextOf(rpc, call, handling) });
    handling.track(work);
    work.then(
      () => call.end(),
      (error: unknown) => call.emit("error", toGrpcStatus(error)),
    );
  };
}

/** Sends what the driver yields, no faster than the client reads, until the caller has gone. */
function streaming(rpc: RpcMethod, method: DriverMethod, call: ServerWritableStream<object, object>): CallHandler {
  return async ({ request, context }) => {
    for await (const message of method(request, context) as AsyncIterable<object>) {
      context.signal.throwIfAborted();
      if (!call.write(complete(rpc, message))) await drained(call, context.signal);
    }
    return undefined;
  };
}

function drained(call: ServerWritableStream<object, object>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    call.once("drain", () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
  });
}

async function answer(method: DriverMethod, request: object, context: CallContext): Promise<object> {
  return (await method(request, context)) as object;
}

function complete(rpc: RpcMethod, response: object): object {
  return RPCS[rpc].response.fromPartial(response);
}

function wrap(rpc: RpcMethod, { outer, inner }: Handling, offered: CallHandler | undefined): CallHandler {
  const refuse: CallHandler = () => Promise.reject(unimplemented(rpc));
  const innermost = offered === undefined ? refuse : compose([validateCalls, ...inner], offered);
  return compose(outer, innermost);
}

function compose(interceptors: readonly Interceptor[], innermost: CallHandler): CallHandler {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), innermost);
}

function contextOf(rpc: RpcMethod, call: ServerCall, { logger, track }: Handling): CallContext {
  const method = RPCS[rpc].name;
  const requestId = randomUUID();
  return { method, requestId, signal: signalOf(call), logger: withFields(logger, { method, requestId }), hold: track };
}

function signalOf(call: ServerCall & { readonly metadata: Metadata }): AbortSignal {
  const controller = new AbortController();
  call.on("cancelled", () => controller.abort(cancellation(call)));
  if (call.cancelled) controller.abort(cancellation(call));
  return controller.signal;
}

/** At its deadline a client cancels by itself, which may arrive a little before the deadline that the server computed. */
const CANCELLED_AT_DEADLINE_MS = 20;

function cancellation(call: ServerCall): CsiError {
  const deadline = call.getDeadline();
  const isLate = Number(deadline) <= Date.now() + CANCELLED_AT_DEADLINE_MS;
  return isLate
    ? new CsiError("DEADLINE_EXCEEDED", "the caller's deadline has passed")
    : new CsiError("CANCELLED", "the caller has cancelled the call");
}
