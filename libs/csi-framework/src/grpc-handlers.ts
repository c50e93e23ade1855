import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";

import { rpcMethods } from "./capabilities.ts";
import { CsiError } from "./csi-error.ts";
import { RPCS, type RpcMethod, type ServiceName } from "./gen/rpcs.ts";
import { toGrpcStatus } from "./grpc-status.ts";
import type { Incoming, Pipeline } from "./pipeline.ts";

type ServerCall = ServerUnaryCall<object, object> | ServerWritableStream<object, object>;

/** The handlers of one service, as grpc-js wants them. */
export function grpcHandlers(service: ServiceName, pipeline: Pipeline): UntypedServiceImplementation {
  const methods = rpcMethods().filter((rpc) => RPCS[rpc].service === service);
  return Object.fromEntries(
    methods.map((rpc) => [rpc, RPCS[rpc].stream ? streamHandler(rpc, pipeline) : unaryHandler(rpc, pipeline)]),
  );
}

function unaryHandler(rpc: RpcMethod, pipeline: Pipeline): handleUnaryCall<object, object> {
  return (call, callback) => {
    const answer: typeof callback = (...outcome) => {
      // Every call's end is told as a cancellation, which after the answer is none.
      call.removeAllListeners("cancelled");
      callback(...outcome);
    };
    pipeline.unary(rpc, toIncoming(call)).then(
      (response) => answer(null, response),
      (error: unknown) => answer(toGrpcStatus(error)),
    );
  };
}

function streamHandler(rpc: RpcMethod, pipeline: Pipeline): handleServerStreamingCall<object, object> {
  return (call) => {
    const incoming = toIncoming(call);
    const send = async (message: object): Promise<void> => {
      if (!call.write(message)) await drained(call, incoming.signal);
    };
    pipeline.stream(rpc, incoming, send).then(
      () => call.end(),
      (error: unknown) => call.emit("error", toGrpcStatus(error)),
    );
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

function toIncoming(call: ServerCall): Incoming {
  const deadline = Number(call.getDeadline());
  return {
    request: call.request,
    metadata: textMetadata(call),
    signal: signalOf(call),
    deadline: Number.isFinite(deadline) ? deadline : undefined,
  };
}

function textMetadata(call: ServerCall): Record<string, string> {
  const texts = Object.entries(call.metadata.getMap()).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(texts);
}

function signalOf(call: ServerCall): AbortSignal {
  const controller = new AbortController();
  call.on("cancelled", () => controller.abort(cancellation(call)));
  if (call.cancelled) controller.abort(cancellation(call));
  return controller.signal;
}

/** At its deadline a client cancels by itself, which may arrive a little before the deadline that the server computed. */
const CANCELLED_AT_DEADLINE_MS = 20;

function cancellation(call: ServerCall): CsiError {
  const isLate = Number(call.getDeadline()) <= Date.now() + CANCELLED_AT_DEADLINE_MS;
  return isLate
    ? CsiError.deadlineExceeded("the caller's deadline has passed")
    : CsiError.cancelled("the caller has cancelled the call");
}
