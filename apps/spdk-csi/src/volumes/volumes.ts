import type { CallOptions } from "@org/spdk-rpc";
import { isNoSpace } from "@org/spdk-rpc";
import { DriverError } from "../driver-error.ts";
import type { KeyedQueue } from "../exports/keyed-queue.ts";
import type { LvolNames } from "../names.ts";
import type { VolumeParameters } from "../parameters.ts";
import type { Snapshots } from "../snapshots/snapshots.ts";
import type { Located } from "../targets/located.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Lvstore, Target, Targets } from "../targets/target.ts";
import { parseVolumeId, subsystemNqn } from "../volume-id.ts";
import { fits, humanBytes, type SizeRange, volumeSize } from "./capacity.ts";
import type { VolumeSource } from "./volume-source.ts";

/** A request for a volume, read. */
export interface VolumeRequest {
  readonly name: string;
  readonly range: SizeRange | undefined;
  readonly parameters: VolumeParameters;
  readonly source: VolumeSource | undefined;
}

interface Place {
  readonly target: Target;
  readonly lvstore: Lvstore;
}

/** The life of volumes on the targets: lvols created, found, grown and deleted. */
export class Volumes {
  readonly #targets: Targets;
  readonly #names: LvolNames;
  readonly #snapshots: Snapshots;
  readonly #exports: KeyedQueue;

  /** `exports` serialises all that touches one subsystem (some versions crash otherwise). */
  constructor(targets: Targets, names: LvolNames, snapshots: Snapshots, exports: KeyedQueue) {
    this.#targets = targets;
    this.#names = names;
    this.#snapshots = snapshots;
    this.#exports = exports;
  }

  /** The volume of that id; undefined when its target answered that it has none. */
  async find(id: string, options?: CallOptions): Promise<Located | undefined> {
    const parsed = parseVolumeId(id);
    if (parsed === undefined) return undefined;
    const candidates = parsed.target === undefined ? this.#targets.all : [this.#targets.get(parsed.target)];
    const found = await Promise.all(
      candidates.map(async (target) => {
        const lvol = await target.findLvol(parsed.uuid, options);
        return lvol === undefined || lvol.isSnapshot || this.#names.parse(lvol.name).kind !== "volume"
          ? undefined
          : { target, lvol };
      }),
    );
    return found.find((each) => each !== undefined);
  }

  /** The volume of that id; throws VOLUME_NOT_FOUND. */
  async get(id: string, options?: CallOptions): Promise<Located> {
    const located = await this.find(id, options);
    if (located === undefined) throw new DriverError("VOLUME_NOT_FOUND", `volume "${id}" does not exist`);
    return located;
  }

  /** Makes the volume, or finds the one that an earlier call of the same name made. */
  async ensure(request: VolumeRequest, options?: CallOptions): Promise<Located> {
    const places = await this.#places(request, options);
    const name = this.#names.volume(request.name);
    const existing = await this.#findByName(places, name, options);
    if (existing !== undefined) return this.#matching(existing, request, options);
    return request.source === undefined
      ? this.#create(places, name, request, options)
      : this.#clone(request.source, name, request, options);
  }

  /** Every lvstore that is asked for the name: all of them, since an earlier try may have chosen differently. */
  async #places({ parameters }: VolumeRequest, options?: CallOptions): Promise<Place[]> {
    if (parameters.target !== undefined && this.#targets.find(parameters.target) === undefined) {
      throw new DriverError("INVALID", `parameter target is "${parameters.target}", which the config does not have`);
    }
    const stores = await Promise.all(
      this.#targets.all.map(async (target) => (await target.lvstores(options)).map((lvstore) => ({ target, lvstore }))),
    );
    return stores.flat();
  }

  async #findByName(places: readonly Place[], name: string, options?: CallOptions): Promise<Located | undefined> {
    const found = await Promise.all(
      places.map(async ({ target, lvstore }) => {
        const lvol = await target.findLvol(`${lvstore.name}/${name}`, options);
        return lvol === undefined ? undefined : { target, lvol };
      }),
    );
    return found.find((each) => each !== undefined);
  }

  /** The existing volume, if it is what the request asks for as far as it can be observed. */
  async #matching(existing: Located, request: VolumeRequest, options?: CallOptions): Promise<Located> {
    const { target, lvol } = existing;
    const differs = (what: string): never => {
      throw new DriverError(
        "ALREADY_EXISTS",
        `volume "${request.name}" exists as ${lvol.alias} on ${target.name} ${what}`,
      );
    };
    if (lvol.isSnapshot) differs("and is a snapshot");
    const actual = await this.#snapshots.sourceOf(existing, options);
    const wanted = request.source === undefined ? undefined : this.#snapshots.sourceKey(request.source);
    if (actual !== wanted) differs("with another content source");
    if (request.source === undefined && !lvol.isClone && lvol.thin !== request.parameters.thinProvision) {
      differs(lvol.thin ? "and is thin" : "and is thick");
    }
    // A clone smaller than asked that was never exported is what a call left that died between clone and resize.
    if (request.source !== undefined && !fits(lvol.sizeBytes, request.range)) {
      const exported = await target.findSubsystem(subsystemNqn(lvol.uuid), options);
      const halfMade = exported === undefined && lvol.sizeBytes < (request.range?.requiredBytes ?? 0n);
      if (halfMade) return this.#grow(existing, await this.#targetSize(existing, request.range, options), options);
    }
    if (!fits(lvol.sizeBytes, request.range)) differs(`with ${humanBytes(lvol.sizeBytes)}`);
    return existing;
  }

  async #create(
    places: readonly Place[],
    name: string,
    request: VolumeRequest,
    options?: CallOptions,
  ): Promise<Located> {
    const { target, lvstore, sizeBytes } = choosePlace(places, request);
    const thin = request.parameters.thinProvision;
    const alias = `${lvstore.name}/${name}`;
    try {
      await target.call(
        "bdev_lvol_create",
        { lvol_name: name, lvs_name: lvstore.name, thin_provision: thin, size: sizeBytes },
        options,
      );
    } catch (error) {
      // Codes are not to be trusted: what stands there now decides.
      const found = await target.findLvol(alias, options);
      if (found !== undefined) return this.#matching({ target, lvol: found }, request, options);
      if (isNoSpace(error)) throw noSpace({ target, lvstore }, sizeBytes, error);
      throw error;
    }
    return { target, lvol: await this.#getLvol(target, alias, options) };
  }

  async #clone(source: VolumeSource, name: string, request: VolumeRequest, options?: CallOptions): Promise<Located> {
    return this.#snapshots.withSourceOf(
      source,
      request.name,
      async ({ target, lvol: snapshot }) => {
        assertPlacedWith(snapshot, target, request.parameters);
        const sizeBytes = await this.#targetSize({ target, lvol: snapshot }, request.range, options);
        const alias = `${snapshot.lvstore}/${name}`;
        try {
          await target.call("bdev_lvol_clone", { snapshot_name: snapshot.uuid, clone_name: name }, options);
        } catch (error) {
          const found = await target.findLvol(alias, options);
          if (found !== undefined) return this.#matching({ target, lvol: found }, request, options);
          throw error;
        }
        const clone = { target, lvol: await this.#getLvol(target, alias, options) };
        return sizeBytes > clone.lvol.sizeBytes ? this.#grow(clone, sizeBytes, options) : clone;
      },
      options,
    );
  }

  async #targetSize({ target, lvol }: Located, range: SizeRange | undefined, options?: CallOptions): Promise<bigint> {
    const store = (await target.lvstores(options)).find(({ name }) => name === lvol.lvstore);
    return volumeSize(range, store?.clusterSizeBytes ?? 1n, lvol.sizeBytes);
  }

  /** Grows the volume to the range's size; a volume that is large enough stays as it is. SPDK would shrink it. */
  async expand(id: string, range: SizeRange | undefined, options?: CallOptions): Promise<Located> {
    const located = await this.get(id, options);
    if (range !== undefined && range.requiredBytes <= located.lvol.sizeBytes) {
      if (range.limitBytes > 0n && located.lvol.sizeBytes > range.limitBytes) {
        throw new DriverError(
          "OUT_OF_RANGE",
          `volume "${id}" has ${located.lvol.sizeBytes} bytes, over the limit of ${range.limitBytes}: volumes never shrink`,
        );
      }
      return located;
    }
    return this.#grow(located, await this.#targetSize(located, range, options), options);
  }

  async #grow({ target, lvol }: Located, sizeBytes: bigint, options?: CallOptions): Promise<Located> {
    try {
      await target.call("bdev_lvol_resize", { name: lvol.uuid, size: sizeBytes }, options);
    } catch (error) {
      const now = await target.findLvol(lvol.uuid, options);
      if (now !== undefined && now.sizeBytes >= sizeBytes) return { target, lvol: now };
      if (isNoSpace(error)) {
        throw new DriverError(
          "NO_SPACE",
          `lvstore ${lvol.lvstore} on ${target.name} has no room to grow ${lvol.alias} to ${humanBytes(sizeBytes)}`,
          { cause: error },
        );
      }
      throw error;
    }
    return { target, lvol: await this.#getLvol(target, lvol.uuid, options) };
  }

  /** Deletes the volume; one that does not exist is fine, one that a node may use is refused. */
  async remove(id: string, options?: CallOptions): Promise<void> {
    const located = await this.find(id, options);
    if (located === undefined) return;
    const { target, lvol } = located;
    const nqn = subsystemNqn(lvol.uuid);
    await this.#exports.run(nqn, async () => {
      const subsystem = await target.findSubsystem(nqn, options);
      if (subsystem !== undefined) {
        const hosts = subsystem.hosts.map((host) => host.nqn);
        if (hosts.length > 0) throw inUse(id, `is published to ${hosts.join(", ")}`);
        // SPDK would delete the lvol under a live initiator.
        const controllers = await target.call("nvmf_subsystem_get_controllers", { nqn }, options);
        if (controllers.length > 0) {
          throw inUse(
            id,
            `has ${controllers.length} connected initiators (${controllers.map((each) => each.hostnqn).join(", ")})`,
          );
        }
        await target.call("nvmf_delete_subsystem", { nqn }, options);
      }
      try {
        await target.call("bdev_lvol_delete", { name: lvol.uuid }, options);
      } catch (error) {
        if ((await target.findLvol(lvol.uuid, options)) !== undefined) throw error;
      }
    });
    await this.#snapshots.sweep(target, options);
  }

  async #getLvol(target: Target, name: string, options?: CallOptions): Promise<Lvol> {
    const lvol = await target.findLvol(name, options);
    if (lvol === undefined) {
      throw new DriverError(
        "CONFLICT",
        `lvol ${name} on ${target.name} vanished while it was being made; the call can be repeated`,
      );
    }
    return lvol;
  }
}

/** The lvstore with the most free space among those that the parameters allow. */
function choosePlace(places: readonly Place[], { parameters, range }: VolumeRequest): Place & { sizeBytes: bigint } {
  const allowed = places.filter(
    ({ target, lvstore }) =>
      (parameters.target === undefined || parameters.target === target.name) &&
      (parameters.lvstore === undefined || parameters.lvstore === lvstore.name),
  );
  const [best] = allowed.toSorted((a, b) => Number(b.lvstore.freeBytes - a.lvstore.freeBytes));
  if (best === undefined) {
    throw new DriverError(
      "NO_SPACE",
      "no target has an lvstore that the parameters allow: create one with bdev_lvol_create_lvstore",
    );
  }
  const sizeBytes = volumeSize(range, best.lvstore.clusterSizeBytes);
  const neededBytes = parameters.thinProvision ? best.lvstore.clusterSizeBytes : sizeBytes;
  if (best.lvstore.freeBytes < neededBytes) throw noSpace(best, sizeBytes);
  return { ...best, sizeBytes };
}

/** A clone shares its source's clusters, so it lies where the source lies. */
function assertPlacedWith(snapshot: Lvol, target: Target, parameters: VolumeParameters): void {
  const elsewhere =
    (parameters.target !== undefined && parameters.target !== target.name) ||
    (parameters.lvstore !== undefined && parameters.lvstore !== snapshot.lvstore);
  if (elsewhere) {
    throw new DriverError(
      "INVALID",
      `the source lies in ${snapshot.lvstore} on ${target.name}, where its clone must be too: use a StorageClass without target and lvstore`,
    );
  }
}

function noSpace({ target, lvstore }: Place, sizeBytes: bigint, cause?: unknown): DriverError {
  return new DriverError(
    "NO_SPACE",
    `lvstore ${lvstore.name} on ${target.name} has ${humanBytes(lvstore.freeBytes)} free, ${humanBytes(sizeBytes)} asked: delete volumes or add an lvstore`,
    { cause },
  );
}

function inUse(id: string, how: string): DriverError {
  return new DriverError("IN_USE", `volume "${id}" ${how}: unpublish it there before deleting it`);
}
