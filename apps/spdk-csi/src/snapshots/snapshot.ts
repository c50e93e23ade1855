import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";
import { formatVolumeId } from "../volumes/volume-id.ts";

/** A user's snapshot. */
export interface Snapshot {
  readonly id: string;
  readonly target: Target;
  readonly lvol: Lvol;
  readonly nameHash: string;
  readonly sourceVolumeId: string;
  readonly sourceUuid: string;
  readonly createdAt: Date;
}

/** Reads an lvol; undefined when its name does not say that it is a user's snapshot. */
export function toSnapshot(target: Target, lvol: Lvol, names: LvolNames): Snapshot | undefined {
  const name = names.parse(lvol.name);
  if (name.kind !== "snapshot") return undefined;
  const { nameHash, sourceUuid, createdAt } = name;
  const sourceVolumeId = formatVolumeId(target.name, sourceUuid);
  return { id: formatVolumeId(target.name, lvol.uuid), target, lvol, nameHash, sourceVolumeId, sourceUuid, createdAt };
}
