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
export const MOUNTER_GROUPS = ["tcp", "keys", "paths", "many", "dead", "ratio", "iscsi"] as const;

export type MounterGroupName = (typeof MOUNTER_GROUPS)[number];
