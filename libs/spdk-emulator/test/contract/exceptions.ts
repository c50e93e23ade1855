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
  { reason: "no crypto bdevs", names: ["bdev_get_bdevs.crypto"] },
  {
    reason: "options of parts that the emulator does not have: NVMe bdevs, RAID, DH groups",
    names: ["save_config_like.framework_get_config_nvmf", "save_config_like.framework_get_config_bdev"],
  },
  {
    reason: "the discovery subsystem cannot be deleted",
    names: ["nvmf_delete_subsystem.discovery_allowed", "nvmf_get_subsystems.after_discovery_deleted"],
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
