import { type CallOptions, SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import type { LvolName, LvolNames } from "../names.ts";
import type { Located } from "../targets/located.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target, Targets } from "../targets/target.ts";
import { formatVolumeId, parseVolumeId } from "../volume-id.ts";
import type { VolumeSource } from "../volumes/volume-source.ts";

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

/** Snapshots, and the ones under clones that no user sees. */
export class Snapshots {
  readonly #targets: Targets;
  readonly #names: LvolNames;
  readonly #now: () => Date;
  /** Internal snapshots whose clone is being made: not to be swept. */
  readonly #inUse = new Set<string>();

  constructor(targets: Targets, names: LvolNames, now: () => Date) {
    this.#targets = targets;
    this.#names = names;
    this.#now = now;
  }

  /** The snapshots of one target, oldest first; deleted ones are left out. */
  async list(target: Target, options?: CallOptions): Promise<Snapshot[]> {
    const lvols = await target.lvols(options);
    const deleted = new Set(lvols.map((lvol) => this.#names.parse(lvol.name)).map(deletedSnapshot));
    return lvols
      .filter((lvol) => !deleted.has(lvol.uuid))
      .flatMap((lvol) => this.#toSnapshot(target, lvol) ?? [])
      .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }

  /** The snapshot of that id; undefined when there is none, or it was deleted. */
  async find(id: string, options?: CallOptions): Promise<Snapshot | undefined> {
    const parsed = parseVolumeId(id);
    if (parsed?.target === undefined) return undefined;
    const target = this.#targets.get(parsed.target);
    const lvol = await target.findLvol(parsed.uuid, options);
    const snapshot = lvol === undefined ? undefined : this.#toSnapshot(target, lvol);
    if (snapshot === undefined) return undefined;
    const tombstone = await target.findLvol(this.#tombstoneOf(snapshot.lvol), options);
    return tombstone === undefined ? snapshot : undefined;
  }

  /** The alias of the tombstone that says that a snapshot was deleted. */
  #tombstoneOf({ lvstore, uuid }: Lvol): string {
    return `${lvstore}/${this.#names.tombstone(uuid)}`;
  }

  #toSnapshot(target: Target, lvol: Lvol): Snapshot | undefined {
    const name = this.#names.parse(lvol.name);
    if (name.kind !== "snapshot") return undefined;
    const { nameHash, sourceUuid, createdAt } = name;
    const id = formatVolumeId(target.name, lvol.uuid);
    return {
      id,
      target,
      lvol,
      nameHash,
      sourceVolumeId: formatVolumeId(target.name, sourceUuid),
      sourceUuid,
      createdAt,
    };
  }

  /** Takes the snapshot, or finds the one that an earlier call of this name took of the same volume. */
  async ensure(
    name: string,
    sourceId: string,
    getSource: () => Promise<Located>,
    options?: CallOptions,
  ): Promise<Snapshot> {
    const existing = await this.#findByName(name, sourceId, options);
    if (existing !== undefined) return existing;
    const { target, lvol } = await getSource();
    const made = this.#names.snapshot(name, lvol.uuid, this.#now());
    await target.call("bdev_lvol_snapshot", { lvol_name: lvol.uuid, snapshot_name: made }, options);
    // Names differ by their time, so "File exists" guards nothing: look again, the earliest of two stays.
    const first = await this.#findByName(name, sourceId, options);
    if (first === undefined) {
      throw new DriverError(
        "CONFLICT",
        `snapshot "${name}" vanished while it was being made; the call can be repeated`,
      );
    }
    if (first.lvol.name !== made) {
      const own = await target.findLvol(`${lvol.lvstore}/${made}`, options);
      if (own !== undefined) await target.call("bdev_lvol_delete", { name: own.uuid }, options);
    }
    return first;
  }

  async #findByName(name: string, sourceId: string, options?: CallOptions): Promise<Snapshot | undefined> {
    const nameHash = this.#names.snapshotHash(name);
    const sourceUuid = parseVolumeId(sourceId)?.uuid;
    const all = await Promise.all(this.#targets.all.map((target) => this.list(target, options)));
    const same = all.flat().filter((snapshot) => snapshot.nameHash === nameHash);
    const other = same.find((snapshot) => snapshot.sourceUuid !== sourceUuid);
    if (other !== undefined) {
      throw new DriverError(
        "ALREADY_EXISTS",
        `snapshot "${name}" exists as ${other.id}, of volume "${other.sourceVolumeId}"`,
      );
    }
    return same[0];
  }

  /** Deletes the snapshot. One with two clones SPDK cannot delete: it is hidden, and swept with its last clone but one. */
  async remove(id: string, options?: CallOptions): Promise<void> {
    const snapshot = await this.find(id, options);
    if (snapshot === undefined) return;
    const { target, lvol } = snapshot;
    try {
      await target.call("bdev_lvol_delete", { name: lvol.uuid }, options);
    } catch (error) {
      const now = await target.findLvol(lvol.uuid, options);
      if (now !== undefined && now.clones.length < 2) throw error;
      if (now !== undefined) await this.#bury(target, now, options);
    }
    await this.sweep(target, options);
  }

  async #bury(target: Target, lvol: Lvol, options?: CallOptions): Promise<void> {
    const name = this.#names.tombstone(lvol.uuid);
    try {
      const place = { lvs_name: lvol.lvstore, lvol_name: name, thin_provision: true };
      await target.call("bdev_lvol_create", { ...place, size: 0 }, options);
    } catch (error) {
      if ((await target.findLvol(this.#tombstoneOf(lvol), options)) === undefined) throw error;
    }
  }

  /** Calls `work` with the snapshot that a clone of `source` is made from: the named one, or an internal one of the volume. */
  async withSourceOf<T>(
    source: VolumeSource,
    cloneName: string,
    work: (snapshot: Located) => Promise<T>,
    options?: CallOptions,
  ): Promise<T> {
    if (source.kind === "snapshot") {
      const snapshot = await this.find(source.id, options);
      if (snapshot === undefined) throw new DriverError("SNAPSHOT_NOT_FOUND", `snapshot "${source.id}" does not exist`);
      return work(snapshot);
    }
    const { target, lvol: volume } = await this.#sourceVolume(source.id, options);
    const name = this.#names.internalSnapshot(volume.uuid, cloneName);
    const alias = `${volume.lvstore}/${name}`;
    this.#inUse.add(name);
    try {
      if ((await target.findLvol(alias, options)) === undefined) {
        await target.call("bdev_lvol_snapshot", { lvol_name: volume.uuid, snapshot_name: name }, options);
      }
      const lvol = await target.findLvol(alias, options);
      if (lvol === undefined) {
        throw new DriverError(
          "CONFLICT",
          `snapshot ${alias} vanished while it was being made; the call can be repeated`,
        );
      }
      return await work({ target, lvol });
    } finally {
      this.#inUse.delete(name);
    }
  }

  async #sourceVolume(id: string, options?: CallOptions): Promise<Located> {
    const parsed = parseVolumeId(id);
    const candidates = parsed?.target === undefined ? this.#targets.all : [this.#targets.get(parsed.target)];
    for (const target of parsed === undefined ? [] : candidates) {
      const lvol = await target.findLvol(parsed?.uuid ?? "", options);
      if (lvol !== undefined && !lvol.isSnapshot) return { target, lvol };
    }
    throw new DriverError("VOLUME_NOT_FOUND", `source volume "${id}" does not exist`);
  }

  /**
   * What an existing volume was made from, in the form of `sourceKey`: the first snapshot below it that is not one
   * of its own.
   */
  async sourceOf({ target, lvol }: Located, options?: CallOptions): Promise<string | undefined> {
    let base = lvol.baseSnapshot;
    while (base !== undefined) {
      const name = this.#names.parse(base);
      const ownSnapshot = "sourceUuid" in name && name.sourceUuid === lvol.uuid;
      if (name.kind === "internal" && !ownSnapshot) return `volume ${name.sourceUuid}`;
      const below: Lvol | undefined = await target.findLvol(`${lvol.lvstore}/${base}`, options);
      if (!ownSnapshot) return below === undefined ? undefined : `snapshot ${below.uuid}`;
      base = below?.baseSnapshot;
    }
    return undefined;
  }

  /** A content source in a form that can be compared with `sourceOf`. */
  sourceKey(source: VolumeSource): string {
    return `${source.kind} ${parseVolumeId(source.id)?.uuid ?? source.id}`;
  }

  /**
   * Deletes what no user sees and nothing needs any more: deleted snapshots and internal ones with at most one clone,
   * and tombstones of what is gone.
   */
  async sweep(target: Target, options?: CallOptions): Promise<void> {
    const lvols = await target.lvols(options);
    const byUuid = new Map(lvols.map((lvol) => [lvol.uuid, lvol]));
    for (const lvol of lvols) {
      const name = this.#names.parse(lvol.name);
      if (name.kind === "internal" && !this.#inUse.has(lvol.name)) await deleteIfUnneeded(target, lvol, options);
      if (name.kind !== "tombstone") continue;
      const snapshot = byUuid.get(name.snapshotUuid);
      const isGone = snapshot === undefined || (await deleteIfUnneeded(target, snapshot, options));
      if (isGone) await deleteIfUnneeded(target, lvol, options);
    }
  }
}

/** Deletes an lvol that at most one clone stands on; whether it is gone. */
async function deleteIfUnneeded(target: Target, lvol: Lvol, options?: CallOptions): Promise<boolean> {
  if (lvol.clones.length > 1) return false;
  try {
    await target.call("bdev_lvol_delete", { name: lvol.uuid }, options);
    return true;
  } catch (error) {
    // A clone was made of it meanwhile, or another call swept it: the next sweep sees how it stands then.
    if (error instanceof SpdkRpcError) return false;
    throw error;
  }
}

function deletedSnapshot(name: LvolName): string | undefined {
  return name.kind === "tombstone" ? name.snapshotUuid : undefined;
}
