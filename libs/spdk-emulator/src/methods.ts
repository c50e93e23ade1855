import { bdevHandlers } from "./bdev/bdev-handlers.ts";
import { frameworkHandlers } from "./framework/framework-handlers.ts";
import { notificationHandlers } from "./framework/notifications.ts";
import { versionHandlers } from "./framework/version-handlers.ts";
import { iscsiHandlers } from "./iscsi/iscsi-handlers.ts";
import { keyringHandlers } from "./keyring.ts";
import { lvolHandlers } from "./lvol/lvol-handlers.ts";
import { lvstoreHandlers } from "./lvol/lvstore-handlers.ts";
import { shallowCopyHandlers } from "./lvol/shallow-copy-handlers.ts";
import { snapshotHandlers } from "./lvol/snapshot-handlers.ts";
import { nvmeHandlers } from "./nvme-host/nvme-handlers.ts";
import { nvmfHandlers } from "./nvmf/nvmf-handlers.ts";
import type { Handlers } from "./rpc/handler.ts";
import { withSubsystemChanges } from "./subsystem-changes.ts";
import type { TargetState } from "./target-state.ts";
import type { Version } from "./version.ts";

/** Methods that came with a later version than v22.05. */
const SINCE: Readonly<Record<string, string>> = {
  bdev_lvol_grow_lvstore: "22.09",
  bdev_lvol_get_lvols: "23.05",
  bdev_lvol_clone_bdev: "23.05",
  bdev_lvol_set_parent: "24.05",
  bdev_lvol_set_parent_bdev: "24.05",
  bdev_lvol_start_shallow_copy: "24.05",
  bdev_lvol_check_shallow_copy: "24.05",
  bdev_reset_iostat: "23.01",
  iscsi_get_stats: "25.09",
  keyring_file_add_key: "24.05",
  keyring_file_remove_key: "24.05",
  keyring_get_keys: "24.05",
  nvmf_ns_add_host: "24.05",
  nvmf_ns_remove_host: "24.05",
  nvmf_subsystem_set_keys: "24.09",
};

/** Every method that a target of this version has. */
export function methodsOf(state: TargetState, version: Version): Handlers {
  const all: Handlers = {
    ...bdevHandlers(state, version),
    ...nvmeHandlers(state, version),
    ...lvstoreHandlers({ state, version }),
    ...lvolHandlers({ state, version }),
    ...snapshotHandlers({ state, version }),
    ...shallowCopyHandlers({ state, version }),
    ...withSubsystemChanges(nvmfHandlers(state, version), version),
    ...keyringHandlers(state.keyring),
    ...notificationHandlers(state.bdevs.notifications),
    ...iscsiHandlers(state, version),
    ...frameworkHandlers(state, version),
  };
  const known = Object.entries(all).filter(([method]) => version.from(SINCE[method] ?? "22.05"));
  return versionHandlers(version, Object.fromEntries(known));
}
