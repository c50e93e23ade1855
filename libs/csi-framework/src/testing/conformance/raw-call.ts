import type { CallLimits } from "../../csi-channel.ts";
import type { CsiClient } from "../../csi-client.ts";
import { RPCS, type RpcMethod, type ServiceName } from "../../gen/rpcs.ts";
import { collect } from "../collect.ts";

const CLIENTS = {
  Identity: "identity",
  Controller: "controller",
  GroupController: "groupController",
  SnapshotMetadata: "snapshotMetadata",
  Node: "node",
} as const satisfies Record<ServiceName, keyof CsiClient>;

/** Makes any call, whatever its type; of a stream it waits for the end. */
export async function call(
  client: CsiClient,
  rpc: RpcMethod,
  request: object,
  limits: CallLimits = {},
): Promise<unknown> {
  const service = client[CLIENTS[RPCS[rpc].service]] as unknown as Readonly<
    Record<string, (request: object, limits: CallLimits) => Promise<unknown> | AsyncIterable<unknown>>
  >;
  const answer = service[rpc]?.(request, limits);
  if (answer === undefined) throw new Error(`the client has no ${rpc}`);
  return Symbol.asyncIterator in answer ? collect(answer) : answer;
}
