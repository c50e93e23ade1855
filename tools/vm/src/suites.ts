import type { KernelFlavour } from "./virtual-machine.ts";

/** What is tried in one machine, with an emulator of its own. */
export interface Machine {
  readonly groups: readonly GroupName[];
  /** Default 1, which is the fastest. */
  readonly processors?: number;
  /** Default "cloud". */
  readonly kernel?: KernelFlavour;
  /** Default none. */
  readonly kernelArguments?: string;
}

/** What belongs together. */
export interface Suite {
  /** The program that is run in each machine. */
  readonly guest: string;
  /** Machines at a time. */
  readonly concurrency: number;
  readonly machines: readonly Machine[];
}

/** What a Linux host does with the emulator. */
export type EmulatorGroup =
  | "ext4"
  | "xfs"
  | "refusals"
  | "keys"
  | "ana"
  | "restart"
  | "clones"
  | "many"
  | "blocks"
  | "faults"
  | "nvme-cli"
  | "queues";

/** What the node's library does on a Linux host, with the emulator and the kernel as targets. */
export type MounterGroup =
  | "tcp"
  | "keys"
  | "paths"
  | "many"
  | "dead"
  | "ratio"
  | "crash"
  | "contract"
  | "nvmet"
  | "iscsi"
  | "luks"
  | "rdma"
  | "single-path"
  | "tcp-smoke"
  | "iscsi-smoke";

/** What the driver does in a cluster of machines, with the emulator as target. */
export type DriverGroup =
  | "life"
  | "paths"
  | "move"
  | "restart"
  | "controller"
  | "expand"
  | "snapshots"
  | "blocks"
  | "reboot"
  | "keys"
  | "luks"
  | "upstream"
  | "smoke";

type GroupName = EmulatorGroup | MounterGroup;

const EMULATOR: Suite = {
  guest: "guest/main.ts",
  concurrency: 1,
  machines: [
    {
      groups: ["ext4", "xfs", "refusals", "keys", "ana", "restart", "clones", "many", "blocks", "faults", "nvme-cli"],
    },
    { groups: ["queues"], processors: 2 },
  ],
};

const MOUNTER: Suite = {
  guest: "guest/mounter/main.ts",
  concurrency: 2,
  machines: [
    { groups: ["tcp", "keys", "paths", "dead"] },
    { groups: ["many", "ratio"] },
    { groups: ["contract", "crash"] },
    { groups: ["nvmet", "iscsi"] },
    { groups: ["luks"] },
    { groups: ["rdma"], kernel: "generic" },
    { groups: ["single-path"], kernelArguments: "nvme_core.multipath=N" },
  ],
};

/** The shortest of that. */
const SMOKE: Suite = {
  guest: "guest/mounter/main.ts",
  concurrency: 1,
  machines: [{ groups: ["tcp-smoke", "iscsi-smoke"] }],
};

/** Everything that is tried on a real kernel, by the name of the suite. */
export const SUITES: ReadonlyMap<string, Suite> = new Map([
  ["emulator", EMULATOR],
  ["mounter", MOUNTER],
  ["smoke", SMOKE],
]);

/** What is tried in one cluster: a target, the driver's controller, and nodes that are machines. */
export interface Cluster {
  readonly nodes: number;
  readonly groups: readonly DriverGroup[];
  /** Whether it is left out where no group is named. Default false. */
  readonly onlyWhenNamed?: boolean;
}

/** So many machines run at a time, of one cluster or of two. */
export const MACHINES_AT_A_TIME = 2;

/** What the driver does on nodes with a real kernel. */
export const CLUSTERS: readonly Cluster[] = [
  { nodes: 2, groups: ["life", "move", "restart", "blocks", "reboot", "luks", "upstream"] },
  { nodes: 1, groups: ["paths", "controller", "expand"] },
  { nodes: 1, groups: ["snapshots", "keys"] },
  { nodes: 2, groups: ["smoke"], onlyWhenNamed: true },
];
