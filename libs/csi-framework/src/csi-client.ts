import { Client, credentials, type ServiceError } from "@grpc/grpc-js";

import * as csi from "./gen/csi.ts";

/** What is used of a method of a generated service definition. */
interface Definition<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** The unary methods of a service as functions; requests need only the fields that say something. */
export type ServiceCalls<Service> = {
  readonly [Method in keyof Service]: Service[Method] extends Definition<infer Request, infer Response>
    ? (request: csi.DeepPartial<Request>) => Promise<Response>
    : never;
};

/** The other end of a plugin's socket, for tests and tools: what a container orchestrator does, in one line a call. */
export class CsiClient {
  readonly identity: ServiceCalls<typeof csi.IdentityService>;
  readonly controller: ServiceCalls<typeof csi.ControllerService>;
  readonly groupController: ServiceCalls<typeof csi.GroupControllerService>;
  readonly node: ServiceCalls<typeof csi.NodeService>;
  readonly #client: Client;

  /** `endpoint` as `serve` takes it: "unix:///path" or "tcp://host:port". Connects with the first call. */
  constructor(endpoint: string) {
    this.#client = new Client(endpoint.replace(/^tcp:\/\//, "dns:"), credentials.createInsecure());
    this.identity = calls(this.#client, csi.IdentityService);
    this.controller = calls(this.#client, csi.ControllerService);
    this.groupController = calls(this.#client, csi.GroupControllerService);
    this.node = calls(this.#client, csi.NodeService);
  }

  /** Ends the connection. */
  close(): void {
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function calls<Service extends object>(client: Client, service: Service): ServiceCalls<Service> {
  const entries = Object.entries(service).map(([name, definition]: [string, Definition<object, object>]) => {
    const call = (partial: object): Promise<object> => unary(client, definition, complete(name, partial));
    return [name, call] as const;
  });
  // Object.fromEntries forgets which key has which type; they are the service's own, one by one.
  return Object.fromEntries(entries) as unknown as ServiceCalls<Service>;
}

/** Fills what a request leaves out with the protocol's defaults. */
function complete(method: string, partial: object): object {
  const messages: Readonly<Record<string, unknown>> = csi;
  const message = messages[`${method.charAt(0).toUpperCase()}${method.slice(1)}Request`];
  return (message as { fromPartial(value: object): object }).fromPartial(partial);
}

function unary(client: Client, method: Definition<object, object>, request: object): Promise<object> {
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, response?: object): void => {
      if (error === null && response !== undefined) resolve(response);
      else reject(error ?? new Error(`${method.path} gave no response`));
    };
    client.makeUnaryRequest(method.path, method.requestSerialize, method.responseDeserialize, request, done);
  });
}
