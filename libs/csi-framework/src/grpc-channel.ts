import {
  type CallOptions,
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";

import type { CallLimits, CsiChannel } from "./csi-channel.ts";
import { CSI_ERROR_CODES, CsiError } from "./csi-error.ts";
import { RPCS, type RpcMethod, SERVICES } from "./gen/rpcs.ts";

/** Calls over gRPC. `endpoint` as `serve` takes it; connects with the first call. */
export function openGrpcChannel(endpoint: string): CsiChannel {
  const client = new Client(endpoint.replace(/^tcp:\/\//, "dns:"), credentials.createInsecure());
  return {
    unary: (rpc, request, limits) =>
      new Promise((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = definitionOf(rpc);
        const done = (error: ServiceError | null, response?: object): void => {
          if (error === null && response !== undefined) resolve(response);
          else reject(error === null ? new Error(`${path} gave no response`) : toCsiError(error));
        };
        const [metadata, options] = settings(limits);
        const call = client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadata,
          options,
          done,
        );
        cancelOn(limits.signal, call);
      }),
    stream: (rpc, request, limits) => {
      const { path, requestSerialize, responseDeserialize } = definitionOf(rpc);
      const [metadata, options] = settings(limits);
      const call = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        options,
      );
      cancelOn(limits.signal, call);
      return messagesOf(call);
    },
    close: () => client.close(),
  };
}

async function* messagesOf(call: AsyncIterable<object> & { cancel(): void }): AsyncGenerator<object> {
  try {
    yield* call;
  } catch (error) {
    throw toCsiError(error);
  } finally {
    // A caller that reads no further would else keep the stream open, and the plugin waiting for it when it closes.
    call.cancel();
  }
}

function settings({ timeoutMs, metadata = {} }: CallLimits): [Metadata, CallOptions] {
  const sent = new Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  return [sent, timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs }];
}

function cancelOn(signal: AbortSignal | undefined, call: { cancel(): void }): void {
  if (signal?.aborted) call.cancel();
  else signal?.addEventListener("abort", () => call.cancel(), { once: true });
}

function definitionOf(rpc: RpcMethod): MethodDefinition<object, object> {
  const definition = SERVICES[RPCS[rpc].service][rpc];
  if (definition === undefined) throw new Error(`there is no definition of ${rpc}`);
  return definition;
}

/** What the other end said, as it said it. */
function toCsiError(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || !("details" in error)) return error;
  const code = CSI_ERROR_CODES.find((name) => status[name] === error.code);
  return code === undefined ? error : new CsiError(code, String(error.details), { cause: error });
}
