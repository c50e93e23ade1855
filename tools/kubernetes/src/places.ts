import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";

/** The checkout. */
export const ROOT: string = join(import.meta.dirname, "../../..");

/** This tool's folder. */
export const TOOL: string = join(import.meta.dirname, "..");

/** What outlasts clusters: programs that take minutes to build. */
export const CACHE: string = process.env["SPDK_CSI_KUBERNETES_CACHE"] ?? join(homedir(), ".cache/spdk-csi-kubernetes");

/** All that the running cluster keeps; there is none where this is not. */
export const STATE: string = join(CACHE, "cluster");

/** The logs of the last cluster that did not start, ended by itself, or in which a check failed. */
export const FAILED_LOGS: string = join(CACHE, "failed");

/** What the storage suite said when it last ran. */
export const SUITE_RESULTS: string = join(CACHE, "suite-results");

/** The cluster's cgroup, in every hierarchy. With another {@link CACHE} it is another cluster. */
export const CGROUP: string = `spdk-csi-kubernetes-${createHash("sha256").update(CACHE).digest("hex").slice(0, 8)}`;

/** What lies where in {@link STATE}, which the cluster's own processes see as {@link INSIDE}. */
export const INSIDE = "/run/cluster";

/** Where the programs of the running cluster are, kubectl among them. */
export const BINARIES: string = join(STATE, "bin");

/** What the containerd of each node listens on. */
export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";

/** For people and programs on this machine. */
export const KUBECONFIG: string = join(STATE, "kubeconfig");

/** The address of the API server and of the target, and of the node that is made of the same namespaces. */
export const SERVER_ADDRESS = "10.77.0.1";

/** Says what the node of the running cluster is. */
export const NODE_KIND: string = join(STATE, "node-kind");

/** The disk of a node that is a virtual machine. */
export const NODE_DISK: string = join(STATE, "node.disk");

/** Where the emulated target keeps its disk and its lvols; {@link STATE} has it as spdk-emulator. */
export const TARGET_FILES = "/var/lib/spdk-emulator";

/** Where the emulated target is asked. */
export const TARGET_URI: string = `http://root:emulated@${SERVER_ADDRESS}:9009`;

/** Where pods find the API server: the first address of the services' network. There is no kube-proxy. */
export const SERVICE_ADDRESS = "10.96.0.1";
