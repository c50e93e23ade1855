import { createHash } from "node:crypto";

/** Kubernetes takes node ids of at most 192 bytes; CSI would allow 256. */
const MAX_NODE_ID_BYTES = 192;

/** How the host NQNs of all nodes begin; the cluster follows, a colon, and the node's name. */
export const NODE_NQN_PREFIX = "nqn.2020-04.io.spdk.csi:node:";

/** Printable and no comma: in the line by which the kernel connects, a comma begins another option. */
const PLAIN = /^[!-+\--~]+$/;

/** A cluster's name: at most 20 bytes, because it becomes part of lvol names of at most 63. */
const CLUSTER = /^[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?$/;

/** Namespace of the uuid v5 that turns a host NQN into a host id (a random uuid, fixed for good). */
const HOST_ID_NAMESPACE = Buffer.from("9b2f3a0e6e0b4d0a8d5f3a1c7e42b6d1", "hex");

/** Throws unless `cluster` can be a cluster's name. */
export function assertCluster(cluster: string): void {
  if (!CLUSTER.test(cluster)) {
    throw new TypeError(`--cluster "${cluster}": use 1 to 20 lower-case letters, digits or inner hyphens`);
  }
}

/**
 * The host NQN of a node, which is also its CSI node id: the hosts that a subsystem allows are then the list of
 * the nodes that a volume is published to, and nothing has to be looked up. A node name that is too long for it, or holds
 * what no NQN may hold, stands in it as its hash.
 */
export function hostNqn(cluster: string, nodeName: string): string {
  const plain = `${NODE_NQN_PREFIX}${cluster}:${nodeName}`;
  if (PLAIN.test(nodeName) && Buffer.byteLength(plain) <= MAX_NODE_ID_BYTES) return plain;
  return `${NODE_NQN_PREFIX}${cluster}:${createHash("sha256").update(nodeName).digest("hex")}`;
}

/** Whether `nqn` is a node of `cluster`; a node id of any other form is unknown to the driver. */
export function isNodeOf(cluster: string, nqn: string): boolean {
  const prefix = `${NODE_NQN_PREFIX}${cluster}:`;
  return nqn.startsWith(prefix) && nqn.length > prefix.length && Buffer.byteLength(nqn) <= MAX_NODE_ID_BYTES;
}

/** The NVMe host id that goes with a host NQN: uuid v5 of it, so that both stay 1:1 (the kernel insists on that). */
export function hostId(nqn: string): string {
  const hash = createHash("sha1").update(HOST_ID_NAMESPACE).update(nqn).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
