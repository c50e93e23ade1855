import { SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import type { Located } from "../targets/located.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { LvolTurns } from "../targets/lvol-turns.ts";
import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";
import { findLocated } from "../volumes/locate.ts";
import type { LvolName, LvolNames } from "../volumes/lvol-names.ts";
import { parseVolumeId } from "../volumes/volume-id.ts";
import type { VolumeSource } from "../volumes/volume-source.ts";
import { chainDepth, MAX_CHAIN_DEPTH } from "./chain-depth.ts";
import { HiddenSnapshots } from "./hidden-snapshots.ts";
import { type Snapshot, toSnapshot } from "./snapshot.ts";

/** What snapshots are made with. */
export interface SnapshotsOptions {
  readonly targets: Targets;
  readonly names: LvolNames;
  readonly turns: LvolTurns;
  readonly now: () => Date;
}

/** The snapshot that a clone is made from. */
export interface CloneSource extends Located {
  /** What the clone has at least: a volume may have been expanded since its snapshot was taken. */
  readonly sourceBytes: bigint;
}

/** Snapshots: taken, found, deleted, and what volumes are cloned from. */
export class Snapshots {
  readonly #targets: Targets;
  readonly #names: LvolNames;
  readonly #turns: LvolTurns;
  readonly #now: () => Date;
  readonly #hidden: HiddenSnapshots;

  constructor({ targets, names, turns, now }: SnapshotsOptions) {
    this.#targets = targets;
    this.#names = names;
    this.#turns = turns;
    this.#now = now;
    this.#hidden = new HiddenSnapshots(names, turns);
  }

  /** The snapshots of one target, oldest first; deleted ones are left out. */
  async list(target: Target): Promise<Snapshot[]> {
    const lvols = await target.lvols();
    const deleted = new Set(lvols.map((lvol) => deletedSnapshot(this.#names.parse(lvol.name))));
    const byAlias = new Map(lvols.map((lvol) => [lvol.alias, lvol]));
    const shown = lvols.filter((lvol) => !deleted.has(lvol.uuid));
    const snapshots = await Promise.all(
      shown.map((lvol) => toSnapshot({ target, lvol }, this.#names, async (alias) => byAlias.get(alias))),
    );
    return snapshots
      .filter((snapshot) => snapshot !== undefined)
      .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }

  /** The snapshot of that id; undefined when there is none, or it was deleted. */
  async find(id: string): Promise<Snapshot | undefined> {
    const located = await this.#findLvol(id);
    const snapshot = located && (await this.#read(located));
    return snapshot && { ...snapshot, id };
  }

  #read(located: Located): Promise<Snapshot | undefined> {
    return toSnapshot(located, this.#names, (alias) => located.target.findLvol(alias));
  }

  /** The lvol of that snapshot id, which may be one of upstream's, whose name says nothing. */
  async #findLvol(id: string): Promise<Located | undefined> {
    const located = await findLocated(this.#targets, id);
    if (located === undefined || !this.#names.isSnapshot(located.lvol)) return undefined;
    return (await this.#hidden.isBuried(located.target, located.lvol)) ? undefined : located;
  }

  /** Takes the snapshot of a volume, or finds the one that an earlier call of this name took of it. */
  async ensure(name: string, sourceId: string, getSource: () => Promise<Located>): Promise<Snapshot> {
    const sourceUuid = parseVolumeId(sourceId)?.uuid;
    const existing = await this.#findByName(name, sourceUuid, sourceId);
    if (existing !== undefined) return existing;
    const { target, lvol } = await getSource();
    await assertShallow(target, lvol);
    const made = this.#names.snapshot(name, lvol.uuid, this.#now());
    const uuid = await this.#take(target, lvol, made);
    // Names differ by their time, so "File exists" guards nothing: look again, the earliest of two stays.
    const first = await this.#findOn(target, this.#names.snapshotHash(name), lvol.uuid);
    if (first === undefined) {
      throw new DriverError(
        "CONFLICT",
        `snapshot "${name}" vanished while it was being made; the call can be repeated`,
      );
    }
    if (first.lvol.uuid !== uuid) await this.#delete(target, lvol.lvstore, uuid);
    return first;
  }

  #take(target: Target, { uuid, lvstore }: Lvol, name: string): Promise<string> {
    const take = () => target.call("bdev_lvol_snapshot", { lvol_name: uuid, snapshot_name: name });
    return this.#turns.inTurn(target, uuid, () => this.#turns.inFamily(target, lvstore, take));
  }

  #delete(target: Target, lvstore: string, uuid: string): Promise<unknown> {
    return this.#turns.inFamily(target, lvstore, () => target.call("bdev_lvol_delete", { name: uuid }));
  }

  /** Looks on the source's target, and as far as they answer on the others, for a snapshot of that name. */
  async #findByName(name: string, sourceUuid: string | undefined, sourceId: string): Promise<Snapshot | undefined> {
    const nameHash = this.#names.snapshotHash(name);
    const home = parseVolumeId(sourceId)?.target;
    const found = await Promise.all(
      this.#targets.all.map((target) => {
        const looked = this.#findNames(target, nameHash);
        return home === undefined || target.name === home ? looked : looked.catch(() => []);
      }),
    );
    const other = found.flat().find((each) => each.sourceUuid !== sourceUuid);
    if (other !== undefined) {
      throw new DriverError(
        "ALREADY_EXISTS",
        `snapshot "${name}" exists, of lvol ${other.sourceUuid} on ${other.target.name}`,
      );
    }
    const [first] = found.flat();
    return first && this.#findOn(first.target, nameHash, first.sourceUuid);
  }

  async #findNames(target: Target, nameHash: string) {
    const named = (await target.lvolNames()).map(({ name }) => this.#names.parse(name));
    return named.flatMap((name) =>
      name.kind === "snapshot" && name.nameHash === nameHash ? [{ target, sourceUuid: name.sourceUuid }] : [],
    );
  }

  /** The earliest snapshot of that name and source that was not deleted. */
  async #findOn(target: Target, nameHash: string, sourceUuid: string): Promise<Snapshot | undefined> {
    const named = (await target.lvolNames()).flatMap(({ uuid, name }) => {
      const parsed = this.#names.parse(name);
      const isWanted = parsed.kind === "snapshot" && parsed.nameHash === nameHash && parsed.sourceUuid === sourceUuid;
      return isWanted ? [{ uuid, createdAt: parsed.createdAt }] : [];
    });
    for (const { uuid } of named.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())) {
      const lvol = await target.findLvol(uuid);
      const snapshot = lvol && (await this.#read({ target, lvol }));
      if (snapshot !== undefined && !(await this.#hidden.isBuried(target, snapshot.lvol))) return snapshot;
    }
    return undefined;
  }

  /** Deletes the snapshot. One with two clones SPDK cannot delete: it is hidden, and swept with its last clone but one. */
  async remove(id: string): Promise<void> {
    const located = await this.#findLvol(id);
    if (located === undefined) return this.#sweepFor(id);
    const { target, lvol } = located;
    try {
      await this.#delete(target, lvol.lvstore, lvol.uuid);
    } catch (error) {
      if (!(error instanceof SpdkRpcError)) throw error;
      const now = await target.findLvol(lvol.uuid);
      if (now !== undefined && now.clones.length < 2) throw error;
      if (now !== undefined) return this.#hidden.bury(target, now);
    }
    await this.#hidden.releaseBase(located);
  }

  /** Of what is gone nobody knows any more what stood below it: a call that died may have left that. */
  async #sweepFor(id: string): Promise<void> {
    const parsed = parseVolumeId(id);
    if (parsed === undefined) return;
    const targets = parsed.target === undefined ? this.#targets.all : [this.#targets.get(parsed.target)];
    await Promise.all(targets.map((target) => this.sweep(target)));
  }

  /** Calls `work` with the snapshot that a clone of `source` is made from: the named one, or an internal one of the volume. */
  async withSourceOf<T>(source: VolumeSource, cloneName: string, work: (from: CloneSource) => Promise<T>): Promise<T> {
    if (source.kind === "snapshot") {
      const snapshot = await this.#findLvol(source.id);
      if (snapshot === undefined) throw new DriverError("SNAPSHOT_NOT_FOUND", `snapshot "${source.id}" does not exist`);
      return work({ ...snapshot, sourceBytes: snapshot.lvol.sizeBytes });
    }
    const { target, lvol: volume } = await this.#sourceVolume(source.id);
    const name = this.#reusableBase(volume) ?? this.#names.internalSnapshot(volume.uuid, cloneName);
    return this.#hidden.using(name, async () => {
      const snapshot = await this.#internalSnapshot(target, volume, name);
      return work({ ...snapshot, sourceBytes: volume.sizeBytes });
    });
  }

  /** The internal snapshot under a volume to which nothing was written since: a further clone needs none of its own. */
  #reusableBase({ uuid, baseSnapshot, allocatedClusters }: Lvol): string | undefined {
    if (baseSnapshot === undefined || allocatedClusters !== 0n) return undefined;
    const name = this.#names.parse(baseSnapshot);
    return name.kind === "internal" && name.sourceUuid === uuid ? baseSnapshot : undefined;
  }

  async #internalSnapshot(target: Target, volume: Lvol, name: string): Promise<Located> {
    const alias = `${volume.lvstore}/${name}`;
    const existing = await target.findLvol(alias);
    if (existing !== undefined) return { target, lvol: existing };
    await assertShallow(target, volume);
    await this.#take(target, volume, name);
    const lvol = await target.findLvol(alias);
    if (lvol !== undefined) return { target, lvol };
    throw new DriverError("CONFLICT", `snapshot ${alias} vanished while it was being made; the call can be repeated`);
  }

  async #sourceVolume(id: string): Promise<Located> {
    const located = await findLocated(this.#targets, id);
    if (located !== undefined && this.#names.isVolume(located.lvol)) return located;
    throw new DriverError("VOLUME_NOT_FOUND", `source volume "${id}" does not exist`);
  }

  /**
   * What an existing volume was made from, in the form of `sourceKey`: the first snapshot below it that is not one
   * of its own.
   */
  async sourceOf({ target, lvol }: Located): Promise<string | undefined> {
    let base = lvol.baseSnapshot;
    while (base !== undefined) {
      const name = this.#names.parse(base);
      const ownSnapshot = "sourceUuid" in name && name.sourceUuid === lvol.uuid;
      if (name.kind === "internal" && !ownSnapshot) return `volume ${name.sourceUuid}`;
      const below: Lvol | undefined = await target.findLvol(`${lvol.lvstore}/${base}`);
      if (!ownSnapshot) return below === undefined ? undefined : `snapshot ${below.uuid}`;
      base = below?.baseSnapshot;
    }
    return undefined;
  }

  /** A content source in a form that can be compared with `sourceOf`. */
  sourceKey(source: VolumeSource): string {
    return `${source.kind} ${parseVolumeId(source.id)?.uuid ?? source.id}`;
  }

  /** Deletes what stood hidden under a volume that is gone. */
  async releaseBase(gone: Located): Promise<void> {
    await this.#hidden.releaseBase(gone);
  }

  /**
   * Deletes what no user sees and nothing needs any more, as a call that died may have left it; resolves to why the target
   * refused some of that.
   */
  async sweep(target: Target): Promise<readonly SpdkRpcError[]> {
    return this.#hidden.sweep(target);
  }
}

/** Every snapshot makes reads of what was not written since one step longer. */
async function assertShallow(target: Target, lvol: Lvol): Promise<void> {
  if ((await chainDepth(target, lvol)) < MAX_CHAIN_DEPTH) return;
  throw new DriverError(
    "NO_SPACE",
    `volume ${lvol.alias} on ${target.name} stands on ${MAX_CHAIN_DEPTH} snapshots, and reads go through all of them: delete some, or copy the volume`,
  );
}

function deletedSnapshot(name: LvolName): string | undefined {
  return name.kind === "tombstone" ? name.snapshotUuid : undefined;
}
