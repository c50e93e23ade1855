import { SERVER_ADDRESS } from "./places.ts";

/**
 * What the node of pods with volumes is: namespaces of this machine, whose kernel may lack NVMe/TCP, so that the node's plugin has loop
 * devices in its place; or a virtual machine with a kernel that has it.
 */
export type NodeKind = "namespaces" | "virtual-machine";

/** Whether a text names a kind of node. */
export function isNodeKind(text: string): text is NodeKind {
  return text === "namespaces" || text === "virtual-machine";
}

/** A node of the cluster. */
export interface ClusterNode {
  readonly name: string;
  readonly address: string;
  /** The addresses of its pods. */
  readonly podSubnet: string;
  /** Whether it is kept for what serves the whole cluster: other pods are not put there. */
  readonly isControl: boolean;
}

/** The node of pods with volumes. */
export const NODE_NAME = "node-1";

/** The node that is a virtual machine, where there is one. */
export const VIRTUAL_NODE: ClusterNode = {
  name: NODE_NAME,
  address: "10.77.0.2",
  podSubnet: "10.88.1.0/24",
  isControl: false,
};

/** The node that is made of the cluster's namespaces; beside a virtual machine it has the driver's controller. */
export function localNode(kind: NodeKind): ClusterNode {
  const isControl = kind === "virtual-machine";
  const name = isControl ? "control-1" : NODE_NAME;
  return { name, address: SERVER_ADDRESS, podSubnet: "10.88.0.0/24", isControl };
}

/** All nodes of a cluster. */
export function nodesOf(kind: NodeKind): readonly ClusterNode[] {
  return [localNode(kind), ...(kind === "virtual-machine" ? [VIRTUAL_NODE] : [])];
}
