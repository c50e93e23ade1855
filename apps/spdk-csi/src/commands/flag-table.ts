import { DEFAULT_DRIVER_NAME } from "../plugin.ts";
import type { Flag } from "./flags.ts";

/** The commands, and what --help says of them. */
export const COMMANDS = {
  controller: "serve the controller: volumes and snapshots on the targets",
  node: "serve the node: volumes in pods on this machine",
  all: "serve both on one socket, as on a cluster of one machine",
  doctor: "check this machine and the targets, and say what keeps them from working",
  volumes: "list the volumes on the targets, and the nodes that have them",
  orphans: "list volumes on the targets that no PersistentVolume knows; nothing is deleted",
  demo: "try the driver on an emulated target, without SPDK and without root",
} as const;

/** One of {@link COMMANDS}. */
export type Command = keyof typeof COMMANDS;

/** An option, and the commands that take it. */
export interface CommandFlag extends Flag {
  readonly commands: readonly Command[];
}

const SERVING = ["controller", "node", "all"] as const;
const ASKING = ["doctor", "volumes", "orphans"] as const;

/** All options. One that two commands understand differently stands there twice. */
export const FLAGS: readonly CommandFlag[] = [
  {
    name: "endpoint",
    value: "URI",
    help: "where to serve CSI: unix:///path, or tcp://host:port; must be given",
    commands: SERVING,
  },
  {
    name: "nodeid",
    value: "NAME",
    help: "this node's name, unique in the cluster; must be given",
    commands: ["node", "all"],
  },
  {
    name: "topology",
    value: "KEY=VALUE",
    help: "where this node is, as in topology.kubernetes.io/zone=a; several with commas\nbetween them, or the option again",
    commands: ["node", "all"],
  },
  {
    name: "cluster",
    value: "NAME",
    help: "this cluster's name on shared targets, at most 20 bytes (default: default)",
    commands: [...SERVING, ...ASKING],
  },
  { name: "drivername", value: "NAME", help: `the driver's name (default: ${DEFAULT_DRIVER_NAME})`, commands: SERVING },
  {
    name: "max-volumes-per-node",
    value: "N",
    help: "publish no more volumes than this to one node (default: 0, no limit)",
    commands: SERVING,
  },
  {
    name: "rpc-timeout",
    value: "SECONDS",
    help: "how long a target may take to answer (default: 60)",
    commands: ["controller", "all"],
  },
  {
    name: "rpc-timeout",
    value: "SECONDS",
    help: "how long a target may take to answer (default: 10)",
    commands: ASKING,
  },
  {
    name: "state-dir",
    value: "DIR",
    help: 'the node\'s records, on a disk that outlasts restarts (default: "state" beside the\nsocket)',
    commands: ["node", "all"],
  },
  {
    name: "kubelet-endpoint",
    value: "PATH",
    help: "register with kubelet, which finds the socket at PATH (default: leave it to the\nnode-driver-registrar)",
    commands: ["node", "all"],
  },
  {
    name: "http",
    value: "ADDRESS",
    help: "serve /metrics, /healthz and /readyz on host:port or :port (default: nowhere)",
    commands: SERVING,
  },
  { name: "log-format", value: "FORMAT", help: "json or text (default: json)", commands: SERVING },
  {
    name: "log-level",
    value: "LEVEL",
    help: "the least that is logged: debug, info, warn or error (default: info)",
    commands: SERVING,
  },
  { name: "controller", help: "check only what the controller needs", commands: ["doctor"] },
  { name: "node", help: "check only what the node needs", commands: ["doctor"] },
  {
    name: "nodeid",
    value: "NAME",
    help: "this node's name as the node has it, to find others that use it",
    commands: ["doctor"],
  },
  {
    name: "state-dir",
    value: "DIR",
    help: 'the node\'s records (default: "state" beside the socket of --endpoint)',
    commands: ["doctor"],
  },
  {
    name: "endpoint",
    value: "URI",
    help: "the node's socket, beside which its records are",
    commands: ["doctor"],
  },
  { name: "target", value: "NAME", help: "only this target of the configuration", commands: ASKING },
  {
    name: "pv-list",
    value: "FILE",
    help: 'what Kubernetes knows: the output of "kubectl get pv -o json", or a volume handle\na line; - for standard input; must be given',
    commands: ["orphans"],
  },
  { name: "output", value: "FORMAT", help: "table or json (default: table)", commands: ASKING },
  {
    name: "endpoint",
    value: "URI",
    help: "where to serve CSI (default: unix:///tmp/csi.sock)",
    commands: ["demo"],
  },
  {
    name: "nodes",
    value: "N",
    help: "how many nodes to play, each on a socket of its own beside the first (default: 1);\nthey mount on loop devices, which takes root",
    commands: ["demo"],
  },
];

/** Upstream's way to say what is served, where no command says it. */
export const ROLE_FLAGS: readonly Flag[] = [
  { name: "controller", help: "serve the controller" },
  { name: "node", help: "serve the node" },
];

/** The options of klog, which upstream takes: -v sets the level, the others have no effect here. */
export const KLOG_FLAGS: readonly Flag[] = [
  ...["add_dir_header", "alsologtostderr", "logtostderr", "one_output", "skip_headers", "skip_log_headers"].map(
    (name) => ({ name, help: "" }),
  ),
  ...["log_backtrace_at", "log_dir", "log_file", "log_file_max_size", "stderrthreshold", "v", "vmodule"].map(
    (name) => ({ name, value: "VALUE", help: "" }),
  ),
];
