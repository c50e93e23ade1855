import { VolumeHealthErrorType as Hurt, type VolumeHealth } from "@org/csi-framework";

import { hasListener, hasNamespace, hostsOf } from "../exports/export-parts.ts";
import { findExport } from "../exports/find-export.ts";
import { healthMessage } from "../health-message.ts";
import { isUnavailable } from "../targets/is-unavailable.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import type { Lvstores } from "../targets/target-knowledge.ts";

type Entry = VolumeHealth["healthStatuses"][number];

/** What is wrong with one volume as the target sees it; undefined when the target says that there is none. */
export async function volumeHealth(target: Target, uuid: string): Promise<Entry[] | undefined> {
  try {
    const [{ lvol, subsystem }, lvstores] = await Promise.all([findExport(target, uuid), target.lvstores()]);
    if (lvol === undefined) return lvstores.missing && [unreachable(lvstores.missing)];
    const isPublished = hostsOf(subsystem).length > 0;
    const isWhole =
      hasNamespace(subsystem, uuid) && target.config.portals.every((portal) => hasListener(subsystem, portal));
    const halfMade: Entry = {
      status: Hurt.INACCESSIBLE,
      reason: "ExportIncomplete",
      message: healthMessage(
        `the export lacks its namespace or a listener, publish it again: ${lvol.alias} on ${target.name}`,
      ),
    };
    return [...(isPublished && !isWhole ? [halfMade] : []), ...spaceHealth(target, lvol, lvstores)];
  } catch (error) {
    if (isUnavailable(error)) return [unreachable(error)];
    throw error;
  }
}

/** What is wrong with a volume whose target cannot be asked. */
export function unreachable(error: unknown): Entry {
  const message = error instanceof Error ? error.message : String(error);
  return { status: Hurt.INACCESSIBLE, reason: "TargetUnavailable", message: healthMessage(message) };
}

/** A volume goes with its lvstore, and a thin one takes no new data once that is full. */
export function spaceHealth(target: Target, lvol: Lvol, { all, missing }: Lvstores): Entry[] {
  const store = all.find(({ name }) => name === lvol.lvstore);
  if (store === undefined && missing !== undefined) return [unreachable(missing)];
  if (store === undefined || !lvol.thin || store.freeBytes >= store.clusterSizeBytes) return [];
  const message = `writes to what is not allocated fail, delete volumes or grow it: lvstore ${store.name} on ${target.name} is full`;
  return [{ status: Hurt.DEGRADED, reason: "LvstoreFull", message: healthMessage(message) }];
}
