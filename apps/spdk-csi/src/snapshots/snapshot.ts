import type { Located } from "../targets/located.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";
import { formatVolumeId } from "../volumes/volume-id.ts";

/** When a snapshot was taken whose name does not say so: nothing else does, and CSI wants a time. */
const UNKNOWN_TIME = new Date(0);

/** A user's snapshot. */
export interface Snapshot {
  readonly id: string;
  readonly target: Target;
  readonly lvol: Lvol;
  readonly sourceVolumeId: string;
  readonly createdAt: Date;
}

/** Asks for the lvol of an alias. */
export type FindLvol = (alias: string) => Promise<Lvol | undefined>;

/**
 * Reads an lvol; undefined when it is no user's snapshot. Where its name does not tell its source, as with upstream's, that
 * is the volume that stands on it, or else itself.
 */
export async function toSnapshot(
  { target, lvol }: Located,
  names: LvolNames,
  find: FindLvol,
): Promise<Snapshot | undefined> {
  if (!names.isSnapshot(lvol)) return undefined;
  const name = names.parse(lvol.name);
  const isOurs = name.kind === "snapshot";
  const sourceUuid = isOurs ? name.sourceUuid : (await volumeOn(lvol, names, find)).uuid;
  return {
    id: formatVolumeId(target.name, lvol.uuid),
    target,
    lvol,
    sourceVolumeId: formatVolumeId(target.name, sourceUuid),
    createdAt: isOurs ? name.createdAt : UNKNOWN_TIME,
  };
}

/** The first volume on a snapshot, which it was most likely taken of, beyond the snapshots in between; else the snapshot. */
async function volumeOn(snapshot: Lvol, names: LvolNames, find: FindLvol): Promise<Lvol> {
  for (let above: Lvol | undefined = snapshot; above !== undefined; ) {
    const [clone]: readonly string[] = above.clones;
    above = clone === undefined ? undefined : await find(`${snapshot.lvstore}/${clone}`);
    if (above !== undefined && names.isVolume(above)) return above;
  }
  return snapshot;
}
