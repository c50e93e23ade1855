import type { CsiChannel } from "../csi-channel.ts";
import { RPCS, type RpcMethod } from "../gen/rpcs.ts";

/** Where the parts of a plugin are that serves its controller and its node from two sockets. */
export interface JoinedParts {
  /** Takes all calls that are not about the node, Identity's too. */
  readonly controller: CsiChannel;
  /** Takes the calls of the node service. */
  readonly node: CsiChannel;
}

/** Two processes as one plugin, as a container orchestrator sees them. */
export function joinChannels({ controller, node }: JoinedParts): CsiChannel {
  const partFor = (rpc: RpcMethod): CsiChannel => (RPCS[rpc].service === "Node" ? node : controller);
  return {
    unary: (rpc, request, limits) => partFor(rpc).unary(rpc, request, limits),
    stream: (rpc, request, limits) => partFor(rpc).stream(rpc, request, limits),
    close: () => {
      controller.close();
      node.close();
    },
  };
}
