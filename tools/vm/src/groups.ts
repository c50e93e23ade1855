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
