/** A record that is known to differ, and why. `versions` empty: on all. */
interface Exception {
  readonly names: readonly string[];
  readonly versions?: readonly string[];
  readonly reason: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    reason: "needs an initiator: the tests of the data plane have one",
    names: [
      "nvmf_subsystem_get_controllers.connected",
      "nvmf_subsystem_get_controllers.connected_dhchap",
      "nvmf_subsystem_get_controllers.after_remove_host",
      "nvmf_subsystem_get_qpairs.connected",
      "nvmf_subsystem_get_qpairs.connected_dhchap",
    ],
  },
  {
    reason: "no bdevs of this kind",
    names: ["crypto", "passthru", "passthru_base", "split", "zoned", "delay", "error", "raid"].map(
      (kind) => `bdev_get_bdevs.${kind}`,
    ),
  },
  { reason: "bdevs have no metadata", names: ["bdev_get_bdevs.malloc_with_metadata"] },
  {
    reason: "queue depths are not sampled, nor the errors of NVMe counted by their kind",
    names: ["before_the_first_sample", "with_queue_depth", "all", "nvme"].map((of) => `bdev_get_iostat.${of}`),
  },
  {
    reason: "shows memory domains whatever kind of bdev the outer parent is",
    versions: ["26.09"],
    names: ["bdev_get_bdevs.external_clone"],
  },
  { reason: "there is one NVMe-oF target", names: ["nvmf_get_subsystems.of_other"] },
  { reason: "iSCSI has no data plane", names: ["iscsi_get_connections.one"] },
  {
    reason: "options that the emulator does not have: of sockets, NVMe bdevs, RAID, DH groups",
    names: [
      "save_config_like.framework_get_config_nvmf",
      "save_config_like.framework_get_config_bdev",
      ...["sock", "bdev", "nvmf"].map((part) => `framework_get_config.${part}`),
    ],
  },
  {
    reason: "the recorder looked before the target had closed, or closed itself",
    names: ["protocol.incomplete_idle", "protocol.slow_then_half_close"],
  },
  {
    reason: "an empty line behind the last reply, or the recorder looked before the target had closed",
    names: ["protocol.good_then_half_close"],
  },
  {
    reason: "the real target died; the emulator counts it as a hazard",
    versions: ["25.05", "24.05"],
    names: [
      "protocol.race_add_ns_and_delete_subsystem_pipelined",
      "protocol.race_delete_subsystem_twice_pipelined_fresh",
    ],
  },
];

/** The exceptions of a version, by the names of their records. */
export function exceptionsOf(version: string): ReadonlyMap<string, string> {
  const applicable = EXCEPTIONS.filter(({ versions }) => versions === undefined || versions.includes(version));
  return new Map(applicable.flatMap(({ names, reason }) => names.map((name) => [name, reason] as const)));
}
