import { type MethodDefinition, status } from "@grpc/grpc-js";

import type { CallLimits, CsiChannel } from "../csi-channel.ts";
import { CsiClient } from "../csi-client.ts";
import { CSI_ERROR_CODES, CsiError } from "../csi-error.ts";
import type { CsiDriver } from "../driver.ts";
import { RPCS, type RpcMethod, SERVICES } from "../gen/rpcs.ts";
import { toGrpcStatus } from "../grpc-status.ts";
import { type Logger, silentLogger } from "../logger.ts";
import type { Incoming, Pipeline } from "../pipeline.ts";
import { createPlugin, type PluginOptions, toDrivers } from "../plugin.ts";

/** How the plugin treats calls, and where it logs: nowhere by default. */
export interface InProcessOptions extends PluginOptions {
  readonly logger?: Logger;
}

/** A plugin in this process, through all its interceptors, with every message encoded and decoded as on the wire. */
export interface InProcessPlugin extends CsiChannel {
  readonly client: CsiClient;
  /** Resolves when all that was started has ended, also what callers have given up on and what a driver holds. */
  settled(): Promise<void>;
}

/**
 * Puts drivers together as `serve` does, without a socket.
 *
 * @throws TypeError when the drivers contradict CSI.
 */
export function inProcess(drivers: CsiDriver | readonly CsiDriver[], options: InProcessOptions = {}): InProcessPlugin {
  const working = new Set<Promise<unknown>>();
  const track = (work: Promise<unknown>): void => {
    working.add(work);
    const forget = (): void => void working.delete(work);
    work.then(forget, forget);
  };
  const pipeline = createPlugin(toDrivers(drivers), options.logger ?? silentLogger, track, options);
  const channel = channelTo(pipeline);
  return {
    ...channel,
    client: new CsiClient(channel),
    settled: async () => {
      while (working.size > 0) await Promise.allSettled(working);
    },
  };
}

function channelTo(pipeline: Pipeline): CsiChannel {
  return {
    async unary(rpc, request, limits) {
      const { incoming, gone, release } = receive(rpc, request, limits);
      try {
        return answerOverTheWire(rpc, await Promise.race([pipeline.unary(rpc, incoming), gone]));
      } catch (error) {
        throw errorOverTheWire(error);
      } finally {
        release();
      }
    },
    async *stream(rpc, request, limits) {
      const { incoming, gone, leave, release } = receive(rpc, request, limits);
      const queue = new MessageQueue();
      pipeline
        .stream(rpc, incoming, async (message) => queue.push(answerOverTheWire(rpc, message)))
        .then(
          () => queue.end(),
          (error: unknown) => queue.fail(error),
        );
      gone.catch((error: unknown) => queue.fail(error));
      try {
        yield* queue;
      } catch (error) {
        throw errorOverTheWire(error);
      } finally {
        if (!queue.hasEnded) leave(CsiError.cancelled("the caller has cancelled the call"));
        release();
      }
    },
    close() {},
  };
}

/** A call as the plugin gets it. */
interface Received {
  readonly incoming: Incoming;
  /** Rejects when the caller has gone, although the plugin is still at work. */
  readonly gone: Promise<never>;
  /** Has the caller go. */
  readonly leave: (why: CsiError) => void;
  /** Forgets the caller's signal and deadline. */
  readonly release: () => void;
}

function receive(rpc: RpcMethod, request: object, { signal, timeoutMs, metadata = {} }: CallLimits): Received {
  const controller = new AbortController();
  const leave = (error: CsiError): void => controller.abort(error);
  const gone = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true });
  });
  // Nobody may be waiting for it any more.
  gone.catch(() => undefined);
  const onAbort = (): void => leave(CsiError.cancelled("the caller has cancelled the call"));
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => leave(CsiError.deadlineExceeded("the caller's deadline has passed")), timeoutMs);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  const incoming: Incoming = {
    request: requestOverTheWire(rpc, request),
    metadata,
    signal: controller.signal,
    deadline: timeoutMs === undefined ? undefined : Date.now() + timeoutMs,
  };
  const release = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  };
  return { incoming, gone, leave, release };
}

/** What the plugin makes of a request: the same, as far as the protocol can say it. */
function requestOverTheWire(rpc: RpcMethod, message: object): object {
  const { requestSerialize, requestDeserialize } = definitionOf(rpc);
  return requestDeserialize(requestSerialize(message));
}

/** What the caller makes of an answer. One that cannot be encoded is INTERNAL, as from a server. */
function answerOverTheWire(rpc: RpcMethod, message: object): object {
  const { responseSerialize, responseDeserialize } = definitionOf(rpc);
  try {
    return responseDeserialize(responseSerialize(message));
  } catch (cause) {
    throw CsiError.internal(`the driver's answer to ${RPCS[rpc].name} cannot be encoded`, { cause });
  }
}

/** What the caller learns of an error; its cause, which stays with the plugin, is kept for who tests it. */
function errorOverTheWire(error: unknown): CsiError {
  const { code, details } = toGrpcStatus(error);
  const known = CSI_ERROR_CODES.find((name) => status[name] === code) ?? "UNKNOWN";
  return new CsiError(known, details, { cause: error instanceof CsiError ? error.cause : error });
}

function definitionOf(rpc: RpcMethod): MethodDefinition<object, object> {
  const definition = SERVICES[RPCS[rpc].service][rpc];
  if (definition === undefined) throw new Error(`there is no definition of ${rpc}`);
  return definition;
}

/** Messages on their way to a caller: the next is asked for only when the last has been taken. */
class MessageQueue implements AsyncIterable<object> {
  #message:
    | { readonly value: object; readonly taken: () => void; readonly refused: (error: unknown) => void }
    | undefined;
  #end: { readonly error?: unknown } | undefined;
  #wake: () => void = () => undefined;

  /** Whether nothing more comes. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  push(value: object): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(this.#end.error);
    return new Promise((taken, refused) => {
      this.#message = { value, taken, refused };
      this.#wake();
    });
  }

  end(): void {
    this.#end ??= {};
    this.#wake();
  }

  fail(error: unknown): void {
    this.#end ??= { error };
    this.#message?.refused(error);
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    for (;;) {
      if (this.#message !== undefined) {
        const { value, taken } = this.#message;
        this.#message = undefined;
        taken();
        yield value;
      } else if (this.#end !== undefined) {
        if ("error" in this.#end) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
