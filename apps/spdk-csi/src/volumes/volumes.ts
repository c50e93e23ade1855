import { isNoSpace, type NvmfSubsystem, SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import { holdsOthers, hostsOf } from "../exports/export-parts.ts";
import { deleteSubsystem, type Exports } from "../exports/exports.ts";
import { findExport } from "../exports/find-export.ts";
import type { CloneSource, Snapshots } from "../snapshots/snapshots.ts";
import type { Located } from "../targets/located.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { LvolTurns } from "../targets/lvol-turns.ts";
import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";
import { BlankVolumes, noSpace } from "./blank-volumes.ts";
import { fits, humanBytes, type SizeRange, volumeSize } from "./capacity.ts";
import { chooseVolume, findByName, findCandidates } from "./find-by-name.ts";
import { findLocated, type LvolPlace, locate } from "./locate.ts";
import type { LvolNames } from "./lvol-names.ts";
import { isReachable } from "./placement.ts";
import type { VolumeRequest } from "./volume-request.ts";
import type { VolumeSource } from "./volume-source.ts";

/** What volumes are made with. */
export interface VolumesParts {
  readonly targets: Targets;
  readonly names: LvolNames;
  readonly snapshots: Snapshots;
  readonly exports: Exports;
  readonly turns: LvolTurns;
}

/** The life of volumes on the targets: lvols created, found, grown and deleted. */
export class Volumes {
  readonly #targets: Targets;
  readonly #names: LvolNames;
  readonly #snapshots: Snapshots;
  readonly #exports: Exports;
  readonly #turns: LvolTurns;
  readonly #blank: BlankVolumes;

  constructor({ targets, names, snapshots, exports, turns }: VolumesParts) {
    this.#targets = targets;
    this.#names = names;
    this.#snapshots = snapshots;
    this.#exports = exports;
    this.#turns = turns;
    this.#blank = new BlankVolumes(
      targets,
      (existing, request) => this.#matching(existing, request),
      (target, uuid) => exports.made(target, uuid),
    );
  }

  /** Where the volume of that id is to be found; undefined when no target has it. */
  async locate(id: string): Promise<LvolPlace | undefined> {
    return locate(this.#targets, id);
  }

  /** The volume of that id; undefined when its target answered that it has none. */
  async find(id: string): Promise<Located | undefined> {
    const located = await findLocated(this.#targets, id);
    return located !== undefined && this.#names.isVolume(located.lvol) ? located : undefined;
  }

  /** The volume of that id; throws VOLUME_NOT_FOUND. */
  async get(id: string): Promise<Located> {
    return (await this.find(id)) ?? volumeNotFound(id);
  }

  /** Makes the volume, or finds the one that an earlier call of the same name made. */
  async ensure(request: VolumeRequest): Promise<Located> {
    const name = this.#names.volume(request.name);
    const { source } = request;
    return source === undefined ? this.#blank.ensure(request, name) : this.#ensureClone(request, source, name);
  }

  /** The existing volume, if it is what the request asks for as far as it can be observed. */
  async #matching(existing: Located, request: VolumeRequest): Promise<Located> {
    const { target, lvol } = existing;
    const differs = (what: string): never => {
      throw new DriverError(
        "ALREADY_EXISTS",
        `volume "${request.name}" exists as ${lvol.alias} on ${target.name} ${what}`,
      );
    };
    if (!this.#names.isVolume(lvol)) differs("and is a snapshot");
    const actual = await this.#snapshots.sourceOf(existing);
    const wanted = request.source === undefined ? undefined : this.#snapshots.sourceKey(request.source);
    if (actual !== wanted) differs("with another content source");
    if (request.source === undefined && !lvol.isClone && lvol.thin !== request.parameters.thinProvision) {
      differs(lvol.thin ? "and is thin" : "and is thick");
    }
    if (request.source !== undefined && !fits(lvol.sizeBytes, request.range)) {
      // A clone smaller than asked that was never exported is what a call left that died between clone and resize.
      const halfMade = !lvol.claimed && lvol.sizeBytes < (request.range?.requiredBytes ?? 0n);
      if (halfMade) return this.#growInTurn(existing, await this.#targetSize(existing, request.range));
    }
    if (!fits(lvol.sizeBytes, request.range)) differs(`with ${humanBytes(lvol.sizeBytes)}`);
    return existing;
  }

  /** A volume with content lies where its source lies, since it shares its clusters. */
  async #ensureClone(request: VolumeRequest, source: VolumeSource, name: string): Promise<Located> {
    const { places, unavailable } = await findCandidates(this.#targets, request.parameters, "recent");
    const { volumes, unavailable: silent } = await findByName(places, name, request.parameters);
    const existing = chooseVolume(volumes);
    if (existing !== undefined) return this.#matching(existing, request);
    if (unavailable !== undefined || silent !== undefined) throw unavailable ?? silent;
    return this.#snapshots.withSourceOf(source, request.name, (from) => this.#clone(from, name, request));
  }

  async #clone({ target, lvol: snapshot, sourceBytes }: CloneSource, name: string, request: VolumeRequest) {
    assertPlacedWith(snapshot, target, request);
    const source = { ...snapshot, sizeBytes: sourceBytes };
    const sizeBytes = await this.#targetSize({ target, lvol: source }, request.range);
    const alias = `${snapshot.lvstore}/${name}`;
    let uuid: string;
    try {
      uuid = await target.call("bdev_lvol_clone", { snapshot_name: snapshot.uuid, clone_name: name });
    } catch (error) {
      if (!(error instanceof SpdkRpcError)) throw error;
      const found = await target.findLvol(alias);
      if (found !== undefined) return this.#matching({ target, lvol: found }, request);
      throw error;
    }
    const { lvstore, sizeBytes: copiedBytes } = snapshot;
    const lvol: Lvol = {
      ...snapshot,
      uuid,
      alias,
      lvstore,
      name,
      thin: true,
      isSnapshot: false,
      isReadOnly: false,
      isClone: true,
      baseSnapshot: snapshot.name,
      clones: [],
      provenBlank: false,
      claimed: false,
    };
    return sizeBytes > copiedBytes ? this.#growInTurn({ target, lvol }, sizeBytes) : { target, lvol };
  }

  async #growInTurn(located: Located, sizeBytes: bigint): Promise<Located> {
    return this.#turns.inTurn(located.target, located.lvol.uuid, () => this.#grow(located, sizeBytes));
  }

  async #targetSize({ target, lvol }: Located, range: SizeRange | undefined): Promise<bigint> {
    const { clusterSizeBytes } = await target.lvstoreOf(lvol);
    return volumeSize(range, clusterSizeBytes, lvol.sizeBytes);
  }

  /** Grows the volume to the range's size; a volume that is large enough stays as it is. SPDK would shrink it. */
  async expand(id: string, range: SizeRange | undefined): Promise<Located> {
    const place = (await this.locate(id)) ?? volumeNotFound(id);
    return this.#turns.inTurn(place.target, place.uuid, async () => this.#expand(id, range));
  }

  async #expand(id: string, range: SizeRange | undefined): Promise<Located> {
    const located = await this.get(id);
    const { sizeBytes } = located.lvol;
    if (range !== undefined && range.limitBytes > 0n && sizeBytes > range.limitBytes) {
      throw new DriverError(
        "OUT_OF_RANGE",
        `volume "${id}" has ${sizeBytes} bytes, over the limit of ${range.limitBytes}: volumes never shrink`,
      );
    }
    if (range === undefined || range.requiredBytes <= sizeBytes) return located;
    return this.#grow(located, await this.#targetSize(located, range));
  }

  async #grow({ target, lvol }: Located, sizeBytes: bigint): Promise<Located> {
    let refusal: SpdkRpcError | undefined;
    try {
      await target.call("bdev_lvol_resize", { name: lvol.uuid, size: sizeBytes });
    } catch (error) {
      if (!(error instanceof SpdkRpcError)) throw error;
      refusal = error;
    }
    // Codes are not to be trusted, and another controller's late resize shrinks: what stands there now decides.
    const now = await target.findLvol(lvol.uuid);
    if (now !== undefined && now.sizeBytes >= sizeBytes) return { target, lvol: now };
    if (refusal === undefined) {
      const has = now === undefined ? "is gone" : `has ${now.sizeBytes}`;
      throw new DriverError(
        "CONFLICT",
        `volume ${lvol.alias} on ${target.name} was resized to ${sizeBytes} bytes and ${has}: somebody else changes it, too; the call can be repeated`,
      );
    }
    if (!isNoSpace(refusal)) throw refusal;
    const lvstore = (await target.lvstores()).all.find(({ name }) => name === lvol.lvstore);
    throw lvstore === undefined ? refusal : noSpace({ target, lvstore }, sizeBytes, refusal);
  }

  /** Deletes the volume; one that does not exist is fine, one that a node may use is refused. */
  async remove(id: string): Promise<void> {
    const place = await this.locate(id);
    if (place === undefined) return;
    const { target, uuid } = place;
    const deleted = await this.#turns.inTurn(target, uuid, async () => {
      const { lvol, subsystem } = await findExport(target, uuid);
      if (lvol === undefined) await target.assertAbsent(uuid);
      else if (!this.#names.isVolume(lvol)) return undefined;
      if (subsystem !== undefined) {
        await assertUnused(id, target, subsystem.nqn, hostsOf(subsystem));
        if (holdsOthers(subsystem, uuid)) await removeNamespace(target, subsystem, uuid);
        else await deleteSubsystem(target, subsystem.nqn);
      } else if (lvol?.claimed === true) {
        throw inUse(id, `is held by another module of target "${target.name}": let go of it there`);
      }
      if (lvol === undefined) return undefined;
      if (lvol.isClone) await this.#turns.inFamily(target, lvol.lvstore, () => deleteLvol(target, uuid));
      else {
        // It may be none only because the delete of the snapshot below it has parted the two, and goes on.
        await this.#turns.afterFamily(target, lvol.lvstore);
        await deleteLvol(target, uuid);
      }
      await this.#exports.deleted(target, lvol);
      return lvol;
    });
    if (deleted !== undefined) await this.#snapshots.releaseBase({ target, lvol: deleted });
    // What stood below a volume that is gone is not known any more; a call that died may have left it.
    else await this.#snapshots.sweep(target);
  }
}

/** SPDK would delete the lvol under a live initiator. */
async function assertUnused(id: string, target: Target, nqn: string, hosts: readonly string[]): Promise<void> {
  if (hosts.length > 0) throw inUse(id, `is published to ${hosts.join(", ")}: unpublish it there before deleting it`);
  const controllers = await target.call("nvmf_subsystem_get_controllers", { nqn });
  if (controllers.length === 0) return;
  const initiators = controllers.map(({ hostnqn }) => hostnqn).join(", ");
  throw inUse(
    id,
    `has ${controllers.length} connected initiators (${initiators}): unstage it there before deleting it`,
  );
}

/** Takes one lvol out of a subsystem that exports others as well. */
async function removeNamespace(target: Target, { nqn, namespaces = [] }: NvmfSubsystem, uuid: string): Promise<void> {
  const own = namespaces.find(({ bdev_name }) => bdev_name === uuid);
  if (own !== undefined) await target.call("nvmf_subsystem_remove_ns", { nqn, nsid: own.nsid });
}

async function deleteLvol(target: Target, uuid: string): Promise<void> {
  try {
    await target.call("bdev_lvol_delete", { name: uuid });
  } catch (error) {
    if (!(error instanceof SpdkRpcError) || (await target.findLvol(uuid)) !== undefined) throw error;
  }
}

function assertPlacedWith(snapshot: Lvol, target: Target, { parameters, accessibility }: VolumeRequest): void {
  const elsewhere =
    (parameters.target !== undefined && parameters.target !== target.name) ||
    (parameters.lvstore !== undefined && parameters.lvstore !== snapshot.lvstore);
  if (elsewhere) {
    throw new DriverError(
      "INVALID",
      `the source lies in ${snapshot.lvstore} on ${target.name}, where its clone must be too: use a StorageClass without target and lvstore`,
    );
  }
  if (!isReachable(target, accessibility)) {
    throw new DriverError(
      "NO_SPACE",
      `the source lies on ${target.name}, where its clone must be too, and that is not reached from where it is wanted: use a node of its topology`,
    );
  }
}

function inUse(id: string, how: string): DriverError {
  return new DriverError("IN_USE", `volume "${id}" ${how}`);
}

/** Throws VOLUME_NOT_FOUND. */
export function volumeNotFound(id: string): never {
  throw new DriverError("VOLUME_NOT_FOUND", `volume "${id}" does not exist`);
}
