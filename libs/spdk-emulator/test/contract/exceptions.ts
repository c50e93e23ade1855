/** A record that is known to differ, and why. `versions` empty: on all. */
interface Exception {
  readonly names: readonly string[];
  readonly versions?: readonly string[];
  readonly reason: string;
}

const OLDER = ["25.05", "24.05", "24.01", "22.05"];

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
  {
    reason: "NVMe-oF: the order of replies, and refusals, of steps that are sent together",
    names: [
      "protocol.race_create_subsystem_twice_pipelined",
      "protocol.race_add_ns_and_add_listener_pipelined",
      "protocol.race_add_ns_and_delete_subsystem_pipelined",
      "protocol.race_delete_subsystem_twice_pipelined",
      "protocol.race_delete_subsystem_twice_pipelined_fresh",
      "protocol.race_add_two_ns_pipelined",
      "protocol.race_add_listener_twice_pipelined",
    ],
  },
  {
    reason: "NVMe-oF: fields, parameters and words of older versions",
    versions: OLDER,
    names: [
      ...["all", "by_trtype"].map((name) => `nvmf_get_transports.${name}`),
      ...["serial_too_long", "model_too_long"].map((name) => `nvmf_create_subsystem.${name}`),
      ...[
        "all",
        "by_nqn",
        "missing",
        "with_ns",
        "b_with_ns",
        "with_hosts",
        "after_online_grow",
        "before_lvol_delete",
        "after_exported_lvol_deleted",
      ].map((name) => `nvmf_get_subsystems.${name}`),
      "nvmf_subsystem_listener_set_ana_state.missing_subsystem",
      "nvmf_subsystem_get_listeners.ok",
      "nvmf_subsystem_get_listeners.after_ana",
      "nvmf_subsystem_add_ns.no_auto_visible",
      "nvmf_subsystem_add_ns.no_auto_visible (own form)",
      "nvmf_subsystem_add_listener.bad_ana_state",
      "extra.listeners",
      "extra.subsystem_admin_label",
      "extra.subsystem_admin_label (own form)",
      "extra.subsystem_admin_label_get",
      "extra.subsystem_admin_label_long",
      "extra.subsystem_after_lvstore_deleted",
    ],
  },
];

/** The exceptions of a version, by the names of their records. */
export function exceptionsOf(version: string): ReadonlyMap<string, string> {
  const applicable = EXCEPTIONS.filter(({ versions }) => versions === undefined || versions.includes(version));
  return new Map(applicable.flatMap(({ names, reason }) => names.map((name) => [name, reason] as const)));
}
