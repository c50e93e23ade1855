/** The second scenario's recordings. */
const SECOND = ["26.09-more", "24.01-more"];
const WHOLE = ["26.09", "25.05", "24.01", "22.05"];
/** What was recorded before v26.05, the protocol of v24.05 included. */
const OLDER = ["25.05", "24.05", "24.01", "22.05"];

/** Records that are known to differ, in which recordings, and why. One that does not differ fails the test. */
interface Exception {
  readonly recordings: readonly string[];
  readonly names: readonly string[];
  readonly reason: string;
}

const INITIATOR = "needs an initiator: the tests of the data plane have one";
const OPTIONS = "options that the emulator does not have: of sockets, NVMe bdevs, RAID, DH groups";
const CLOSING = "the recorder looked before the target had closed, or closed itself";

const EXCEPTIONS: readonly Exception[] = [
  {
    recordings: WHOLE,
    reason: INITIATOR,
    names: ["controllers", "qpairs"].flatMap((what) =>
      ["connected", "connected_dhchap"].map((when) => `nvmf_subsystem_get_${what}.${when}`),
    ),
  },
  { recordings: ["22.05"], reason: INITIATOR, names: ["nvmf_subsystem_get_controllers.after_remove_host"] },
  { recordings: ["26.09"], reason: "no bdevs of this kind", names: ["bdev_get_bdevs.crypto"] },
  {
    recordings: SECOND,
    reason: "no bdevs of this kind",
    names: ["passthru", "passthru_base", "split", "zoned", "delay", "error", "raid"].map(
      (kind) => `bdev_get_bdevs.${kind}`,
    ),
  },
  { recordings: SECOND, reason: "bdevs have no metadata", names: ["bdev_get_bdevs.malloc_with_metadata"] },
  {
    recordings: SECOND,
    reason: "the errors of NVMe are not counted by their kind",
    names: ["bdev_get_iostat.all"],
  },
  {
    recordings: ["26.09-more"],
    reason: "queue depths are not sampled, nor the errors of NVMe counted by their kind",
    names: ["before_the_first_sample", "with_queue_depth", "nvme"].map((of) => `bdev_get_iostat.${of}`),
  },
  {
    recordings: ["26.09-more"],
    reason: "shows memory domains whatever kind of bdev the outer parent is",
    names: ["bdev_get_bdevs.external_clone"],
  },
  { recordings: SECOND, reason: "there is one NVMe-oF target", names: ["nvmf_get_subsystems.of_other"] },
  { recordings: SECOND, reason: "iSCSI has no data plane", names: ["iscsi_get_connections.one"] },
  {
    recordings: WHOLE,
    reason: OPTIONS,
    names: ["nvmf", "bdev"].map((part) => `save_config_like.framework_get_config_${part}`),
  },
  {
    recordings: SECOND,
    reason: OPTIONS,
    names: ["sock", "bdev", "nvmf"].map((part) => `framework_get_config.${part}`),
  },
  { recordings: ["26.09"], reason: CLOSING, names: ["protocol.incomplete_idle"] },
  { recordings: OLDER, reason: CLOSING, names: ["protocol.slow_then_half_close"] },
  {
    recordings: ["26.09", ...OLDER],
    reason: "an empty line behind the last reply, or the recorder looked before the target had closed",
    names: ["protocol.good_then_half_close"],
  },
  {
    recordings: ["25.05", "24.05"],
    reason: "the real target died; the emulator counts it as a hazard",
    names: [
      "protocol.race_add_ns_and_delete_subsystem_pipelined",
      "protocol.race_delete_subsystem_twice_pipelined_fresh",
    ],
  },
];

/** The exceptions of a recording, by the names of their records. */
export function exceptionsOf(recording: string): ReadonlyMap<string, string> {
  const applicable = EXCEPTIONS.filter(({ recordings }) => recordings.includes(recording));
  return new Map(applicable.flatMap(({ names, reason }) => names.map((name) => [name, reason] as const)));
}
