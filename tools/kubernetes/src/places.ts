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

/** The logs of a cluster that did not start. */
export const FAILED_LOGS: string = join(CACHE, "failed");

/** What the storage suite said when it last ran. */
export const SUITE_RESULTS: string = join(CACHE, "suite-results");

/** The cluster's cgroup, in every hierarchy. */
export const CGROUP = "spdk-csi-kubernetes";

/** What lies where in {@link STATE}, which the cluster's own processes see as {@link INSIDE}. */
export const INSIDE = "/run/cluster";

/** Where the programs of the running cluster are, kubectl among them. */
export const BINARIES: string = join(STATE, "bin");

/** For people and programs on this machine. */
export const KUBECONFIG: string = join(STATE, "kubeconfig");

/** The node's name. */
export const NODE_NAME = "node-1";

/** The node's address, in a network that only the cluster has. */
export const NODE_ADDRESS = "10.77.0.1";

/** Where pods find the API server: the first address of the services' network. There is no kube-proxy. */
export const SERVICE_ADDRESS = "10.96.0.1";
