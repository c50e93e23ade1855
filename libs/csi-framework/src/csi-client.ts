import type { CallLimits, CsiChannel } from "./csi-channel.ts";
import * as csi from "./gen/csi.ts";
import { RPCS, type RpcMethod } from "./gen/rpcs.ts";
import { openGrpcChannel } from "./grpc-channel.ts";

/** What is used of a method of a generated service definition. */
interface Definition<Request, Response> {
  readonly responseStream: boolean;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

type Call<Method> =
  Method extends Definition<infer Request, infer Response>
    ? (
        request: csi.DeepPartial<Request>,
        limits?: CallLimits,
      ) => Method extends { readonly responseStream: true } ? AsyncIterable<Response> : Promise<Response>
    : never;

/** The methods of a service as functions; requests need only the fields that say something. */
export type ServiceCalls<Service> = { readonly [Method in keyof Service]: Call<Service[Method]> };

/**
 * The other end of a plugin, for tests and tools: what a container orchestrator does, in one line a call. A call that
 * fails rejects with a {@link CsiError} of the status and text that the plugin gave.
 */
export class CsiClient {
  readonly identity: ServiceCalls<typeof csi.IdentityService>;
  readonly controller: ServiceCalls<typeof csi.ControllerService>;
  readonly groupController: ServiceCalls<typeof csi.GroupControllerService>;
  readonly snapshotMetadata: ServiceCalls<typeof csi.SnapshotMetadataService>;
  readonly node: ServiceCalls<typeof csi.NodeService>;
  readonly #channel: CsiChannel;

  /** `plugin` is an endpoint as `serve` takes it, connected with the first call, or a channel. */
  constructor(plugin: string | CsiChannel) {
    this.#channel = typeof plugin === "string" ? openGrpcChannel(plugin) : plugin;
    this.identity = calls(this.#channel, csi.IdentityService);
    this.controller = calls(this.#channel, csi.ControllerService);
    this.groupController = calls(this.#channel, csi.GroupControllerService);
    this.snapshotMetadata = calls(this.#channel, csi.SnapshotMetadataService);
    this.node = calls(this.#channel, csi.NodeService);
  }

  /** Lets go of the plugin. */
  close(): void {
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function calls<Service extends object>(channel: CsiChannel, service: Service): ServiceCalls<Service> {
  const entries = Object.keys(service).map((name) => {
    const rpc = name as RpcMethod;
    const send = RPCS[rpc].stream
      ? (partial: object, limits: CallLimits = {}) => channel.stream(rpc, complete(rpc, partial), limits)
      : (partial: object, limits: CallLimits = {}) => channel.unary(rpc, complete(rpc, partial), limits);
    return [name, send] as const;
  });
  // Object.fromEntries forgets which key has which type; they are the service's own, one by one.
  return Object.fromEntries(entries) as unknown as ServiceCalls<Service>;
}

/** Fills what a request leaves out with the protocol's defaults. */
function complete(rpc: RpcMethod, partial: object): object {
  const messages: Readonly<Record<string, unknown>> = csi;
  return (messages[RPCS[rpc].request] as { fromPartial(value: object): object }).fromPartial(partial);
}
