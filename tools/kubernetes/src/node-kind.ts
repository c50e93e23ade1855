/**
 * What the cluster's node is: namespaces of this machine, whose kernel may lack NVMe/TCP, so that the node's plugin has loop
 * devices in its place; or a virtual machine with a kernel that has it.
 */
export type NodeKind = "namespaces" | "virtual-machine";

/** Whether a text names a kind of node. */
export function isNodeKind(text: string): text is NodeKind {
  return text === "namespaces" || text === "virtual-machine";
}
