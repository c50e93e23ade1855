import { randomUUID } from "node:crypto";

import { INVALID_SPAN_CONTEXT, trace } from "@opentelemetry/api";

import type { CallContext } from "./call-context.ts";
import { type DriverMethod, findMethod, unimplemented } from "./dispatch.ts";
import type { Drivers } from "./driver.ts";
import { RPCS, type RpcMethod } from "./gen/rpcs.ts";
import type { Call, CallHandler, Interceptor } from "./interceptor.ts";
import { type LogFields, type Logger, withFields } from "./logger.ts";
import { validateAnswer } from "./validate-answer.ts";

/** What a pipeline is made of. */
export interface PipelineOptions {
  readonly drivers: Drivers;
  readonly logger: Logger;
  /** Run around every call, the first outermost. */
  readonly outer: readonly Interceptor[];
  /** Run around calls that a driver offers. */
  readonly inner: readonly Interceptor[];
  /** Told of all work that must be waited for before the process may go. */
  readonly track: (work: Promise<unknown>) => void;
}

/** A call as it comes in, whatever carries it. */
export interface Incoming {
  readonly request: object;
  readonly metadata: Readonly<Record<string, string>>;
  /** Aborts, with a CsiError, when the caller has cancelled or its deadline has passed. */
  readonly signal: AbortSignal;
  readonly deadline: number | undefined;
}

/** Sends one message of a stream; resolves when the next may follow. */
export type Send = (message: object) => Promise<void>;

/** The way of every call from its caller through the interceptors to a driver, and back. */
export interface Pipeline {
  unary(rpc: RpcMethod, incoming: Incoming): Promise<object>;
  stream(rpc: RpcMethod, incoming: Incoming, send: Send): Promise<void>;
}

/** Puts the interceptors around the drivers' methods. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { drivers, track } = options;
  const run = (rpc: RpcMethod, incoming: Incoming, offered: CallHandler | undefined): Promise<object | undefined> => {
    const work = wrap(rpc, options, offered)(toCall(rpc, incoming, options));
    track(work);
    return work;
  };
  return {
    unary: async (rpc, incoming) => {
      const method = findMethod(drivers, rpc);
      return (await run(rpc, incoming, method && answering(rpc, method))) ?? {};
    },
    stream: async (rpc, incoming, send) => {
      const method = findMethod(drivers, rpc);
      await run(rpc, incoming, method && streaming(rpc, method, send));
    },
  };
}

function answering(rpc: RpcMethod, method: DriverMethod): CallHandler {
  return async ({ request, context }) => complete(rpc, (await method(request, context)) as object);
}

/** Sends what the driver yields, no faster than the caller reads, until the caller has gone. */
function streaming(rpc: RpcMethod, method: DriverMethod, send: Send): CallHandler {
  return async ({ request, context }) => {
    for await (const message of method(request, context) as AsyncIterable<object>) {
      context.signal.throwIfAborted();
      const answer = complete(rpc, message);
      validateAnswer(rpc, answer);
      await send(answer);
    }
    return undefined;
  };
}

function complete(rpc: RpcMethod, response: object): object {
  return RPCS[rpc].response.fromPartial(response);
}

function wrap(rpc: RpcMethod, { outer, inner }: PipelineOptions, offered: CallHandler | undefined): CallHandler {
  const refuse: CallHandler = () => Promise.reject(unimplemented(rpc));
  return compose(outer, offered === undefined ? refuse : compose(inner, offered));
}

function compose(interceptors: readonly Interceptor[], innermost: CallHandler): CallHandler {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), innermost);
}

function toCall(rpc: RpcMethod, incoming: Incoming, { logger, track }: PipelineOptions): Call {
  const { request, metadata, signal, deadline } = incoming;
  const method = RPCS[rpc].name;
  const requestId = randomUUID();
  const context: CallContext = {
    method,
    requestId,
    signal,
    deadline,
    remainingMs: () => (deadline === undefined ? Infinity : Math.max(0, deadline - Date.now())),
    logger: withFields(logger, { method, requestId, ...volumeOf(request) }),
    span: NO_SPAN,
    hold: track,
  };
  return { rpc, request, context, metadata };
}

/** Stands where nothing traces. */
const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** The volume that a call is about stands in each of its lines. */
function volumeOf(request: object): LogFields {
  return "volumeId" in request && typeof request.volumeId === "string" && request.volumeId !== ""
    ? { volumeId: request.volumeId }
    : {};
}
