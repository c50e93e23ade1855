/** What is tried in a machine of one processor, which is the fastest. */
export const GROUPS = [
  "ext4",
  "xfs",
  "refusals",
  "keys",
  "ana",
  "restart",
  "clones",
  "many",
  "blocks",
  "faults",
  "nvme-cli",
] as const;

/** What needs two. */
export const GROUPS_OF_TWO_PROCESSORS = ["queues"] as const;

export type GroupName = (typeof GROUPS)[number] | (typeof GROUPS_OF_TWO_PROCESSORS)[number];

/** What the node's library is tried with: NVMe with the emulator and the kernel as targets, iSCSI, encryption. */
export const MOUNTER_GROUPS = ["tcp", "keys", "paths", "many", "dead", "ratio", "nvmet", "iscsi", "luks"] as const;

/** The shortest of it, in a few minutes at most. */
export const SMOKE_GROUPS = ["tcp-smoke", "iscsi-smoke"] as const;

/** What needs software RDMA. */
export const MOUNTER_GROUPS_OF_RDMA = ["rdma"] as const;

/** What needs a kernel whose native multipath is off. */
export const MOUNTER_GROUPS_OF_SINGLE_PATHS = ["single-path"] as const;

export type MounterGroupName =
  | (typeof MOUNTER_GROUPS)[number]
  | (typeof SMOKE_GROUPS)[number]
  | (typeof MOUNTER_GROUPS_OF_RDMA)[number]
  | (typeof MOUNTER_GROUPS_OF_SINGLE_PATHS)[number];
