import { type Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import * as fc from "fast-check";

import * as csi from "../../src/gen/csi.ts";
import { RPCS, type RpcMethod, SERVICES } from "../../src/gen/rpcs.ts";

/** Sends bytes as the request of an RPC, whatever they are, and tells the status that it ends with. */
export function sendBytes(client: Client, rpc: RpcMethod, bytes: Buffer, timeoutMs: number): Promise<number> {
  const { path = "", responseDeserialize } = SERVICES[RPCS[rpc].service][rpc] ?? {};
  if (responseDeserialize === undefined) throw new Error(`there is no definition of ${rpc}`);
  const asIs = (sent: Buffer): Buffer => sent;
  const options = { deadline: Date.now() + timeoutMs };
  return new Promise((resolve) => {
    if (!RPCS[rpc].stream) {
      client.makeUnaryRequest(path, asIs, responseDeserialize, bytes, new Metadata(), options, (error) =>
        resolve(error?.code ?? 0),
      );
      return;
    }
    const stream = client.makeServerStreamRequest(path, asIs, responseDeserialize, bytes, new Metadata(), options);
    stream.on("data", () => undefined);
    stream.on("error", ({ code }: ServiceError) => resolve(code));
    stream.on("end", () => resolve(0));
  });
}

/** A request's bytes. */
export function encode(rpc: RpcMethod, request: object): Buffer {
  const definition = SERVICES[RPCS[rpc].service][rpc];
  if (definition === undefined) throw new Error(`there is no definition of ${rpc}`);
  return definition.requestSerialize(completed(rpc, request));
}

/** What may become of bytes on their way: nothing, an end too soon, other bytes in between, others altogether. */
export const damage: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
  fc.constant((bytes: Buffer) => bytes),
  fc.nat().map((at) => (bytes: Buffer) => bytes.subarray(0, bytes.length === 0 ? 0 : at % bytes.length)),
  fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 6 })).map(([at, other]) => (bytes: Buffer) => {
    const cut = bytes.length === 0 ? 0 : at % bytes.length;
    return Buffer.concat([bytes.subarray(0, cut), other, bytes.subarray(cut + 1)]);
  }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => () => Buffer.from(bytes)),
);

function completed(rpc: RpcMethod, request: object): object {
  const messages = csi as unknown as Readonly<Record<string, { fromPartial(partial: object): object } | undefined>>;
  return messages[RPCS[rpc].request]?.fromPartial(request) ?? request;
}
