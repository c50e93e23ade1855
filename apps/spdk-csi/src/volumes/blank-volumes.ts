import { isNoSpace, SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import { isUnavailable } from "../targets/is-unavailable.ts";
import { KeyedQueue } from "../targets/keyed-queue.ts";
import type { Located } from "../targets/located.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";
import { humanBytes, volumeSize } from "./capacity.ts";
import { chooseVolume, findByName, findCandidates } from "./find-by-name.ts";
import { orderPlaces, type Place } from "./placement.ts";
import type { VolumeRequest } from "./volume-request.ts";

/** Compares a volume that is there with what is asked for; throws ALREADY_EXISTS where it is another. */
export type Match = (existing: Located, request: VolumeRequest) => Promise<Located>;

/** Names whose last create left open where the volume is: so many are remembered. */
const MAX_UNSURE = 10_000;

/** New volumes without content. */
export class BlankVolumes {
  readonly #targets: Targets;
  readonly #match: Match;
  readonly #onMade: (target: Target, uuid: string) => void;
  /** Names that a create left unsure: the next one looks before it creates. A process that forgot finds out as well, later. */
  readonly #unsure = new Set<string>();
  readonly #queue = new KeyedQueue();

  /** `onMade` is told of each lvol that was made, not of those that were found. */
  constructor(targets: Targets, match: Match, onMade: (target: Target, uuid: string) => void) {
    this.#targets = targets;
    this.#match = match;
    this.#onMade = onMade;
  }

  /**
   * Makes the volume, or finds the one that an earlier call made. The create goes out at once, and in the same round
   * trip every other place is asked for the name: what is found there decides.
   */
  async ensure(request: VolumeRequest, lvolName: string): Promise<Located> {
    try {
      const made = await this.#ensure(request, lvolName);
      this.#unsure.delete(lvolName);
      return made;
    } catch (error) {
      if (!(error instanceof DriverError && error.code === "ALREADY_EXISTS")) this.#remember(lvolName);
      throw error;
    }
  }

  #remember(lvolName: string): void {
    if (this.#unsure.size >= MAX_UNSURE) this.#unsure.clear();
    this.#unsure.add(lvolName);
  }

  async #ensure(request: VolumeRequest, lvolName: string): Promise<Located> {
    const { parameters } = request;
    const recent = await findCandidates(this.#targets, parameters, "recent");
    if (this.#unsure.has(lvolName) || recent.unavailable !== undefined) {
      const existing = await this.#find(recent.places, lvolName, request);
      if (existing !== undefined) return existing;
      if (recent.unavailable !== undefined) throw recent.unavailable;
    }
    const made = await this.#createSomewhere(recent.places, lvolName, request);
    if (!(made instanceof DriverError)) return made;
    // Full as far as is remembered: what an earlier call made may be what fills the place, or space has become free since.
    const { places, passedOver } = await findCandidates(this.#targets, parameters, "now");
    const existing = await this.#find(places, lvolName, request);
    if (existing !== undefined) return existing;
    const madeNow = await this.#createSomewhere(places, lvolName, request);
    if (!(madeNow instanceof DriverError)) return madeNow;
    // Nowhere, because nobody has answered, is not for good.
    throw places.length === 0 && passedOver !== undefined ? passedOver : madeNow;
  }

  /** Creates the volume at the best place that has room; returns the error of the best one where none has. */
  async #createSomewhere(
    places: readonly Place[],
    lvolName: string,
    request: VolumeRequest,
  ): Promise<Located | DriverError> {
    let full: DriverError | undefined;
    for (const place of orderPlaces(places, request.parameters, request.accessibility)) {
      const make = async () =>
        (await noRoom(place, request)) ?? (await this.#createAt(place, places, lvolName, request));
      // What is promised is counted: one after the other, or two would promise the last of it.
      const isCounted = request.parameters.overcommitRatio !== undefined;
      const made = isCounted ? await this.#queue.run(`${place.target.key} ${place.lvstore.name}`, make) : await make();
      if (!(made instanceof DriverError)) return made;
      full ??= made;
    }
    return full ?? nowhere(request);
  }

  async #find(places: readonly Place[], lvolName: string, request: VolumeRequest): Promise<Located | undefined> {
    const { volumes, unavailable } = await findByName(places, lvolName, request.parameters);
    const existing = chooseVolume(volumes);
    if (existing !== undefined) return this.#match(existing, request);
    if (unavailable !== undefined) throw unavailable;
    return undefined;
  }

  /** Creates the volume at one place; returns the error of a place that turned out to be full. */
  async #createAt(
    place: Place,
    places: readonly Place[],
    lvolName: string,
    request: VolumeRequest,
  ): Promise<Located | DriverError> {
    const { target, lvstore } = place;
    const others = places.filter((each) => each !== place);
    const sizeBytes = volumeSize(request.range, lvstore.clusterSizeBytes);
    const [created, looked] = await Promise.allSettled([
      create(place, lvolName, sizeBytes, request),
      findByName(others, lvolName, request.parameters),
    ]);
    const found = looked.status === "fulfilled" ? looked.value : { volumes: [], unavailable: looked.reason };
    if (created.status === "rejected") {
      const { reason } = created;
      if (!(reason instanceof SpdkRpcError)) throw reason;
      // Codes are not to be trusted: what stands there now decides.
      const existing = chooseVolume([
        ...(await findByName([place], lvolName, request.parameters)).volumes,
        ...found.volumes,
      ]);
      if (existing !== undefined) return this.#match(existing, request);
      if (found.unavailable !== undefined) throw found.unavailable;
      if (isNoSpace(reason)) return noSpace(place, sizeBytes, reason);
      throw reason;
    }
    const uuid = created.value;
    if (found.volumes.length > 0 || found.unavailable !== undefined) {
      // Only what this call made itself is taken back.
      const left = await withdraw(place, uuid);
      const [elsewhere] = found.volumes;
      if (elsewhere === undefined) throw found.unavailable;
      throw new DriverError(
        "CONFLICT",
        `volume "${request.name}" is on ${elsewhere.target.name} as ${elsewhere.lvol.alias} already${left}; the call can be repeated`,
      );
    }
    if (!request.parameters.thinProvision) await target.tookSpace(lvstore.name, sizeBytes);
    this.#onMade(target, uuid);
    return { target, lvol: blankLvol(place, lvolName, uuid, sizeBytes, request) };
  }
}

function create(
  { target, lvstore }: Place,
  lvolName: string,
  sizeBytes: bigint,
  { parameters }: VolumeRequest,
): Promise<string> {
  const clears = target.config.zeroesOnUnmap ? "unmap" : "write_zeroes";
  return target.call("bdev_lvol_create", {
    lvol_name: lvolName,
    lvs_name: lvstore.name,
    thin_provision: parameters.thinProvision,
    clear_method: parameters.clearMethod ?? clears,
    size: sizeBytes,
  });
}

/** Deletes what this call created; in words what is left where that fails. */
async function withdraw({ target, lvstore }: Place, uuid: string): Promise<string> {
  try {
    await target.call("bdev_lvol_delete", { name: uuid });
    return "";
  } catch (error) {
    if (!(error instanceof SpdkRpcError) && !isUnavailable(error)) throw error;
    return `, and the blank lvol ${uuid} in ${lvstore.name} on ${target.name} could not be taken back: spdk-csi orphans names it`;
  }
}

function blankLvol(
  { lvstore }: Place,
  name: string,
  uuid: string,
  sizeBytes: bigint,
  { parameters }: VolumeRequest,
): Lvol {
  return {
    uuid,
    alias: `${lvstore.name}/${name}`,
    lvstore: lvstore.name,
    name,
    sizeBytes,
    thin: parameters.thinProvision,
    isSnapshot: false,
    isReadOnly: false,
    isClone: false,
    baseSnapshot: undefined,
    clones: [],
    allocatedClusters: undefined,
    provenBlank: false,
    claimed: false,
  };
}

/** Why a place has no room for the volume, as far as is known before it is tried. */
async function noRoom(place: Place, { range, parameters }: VolumeRequest): Promise<DriverError | undefined> {
  const { target, lvstore } = place;
  const sizeBytes = volumeSize(range, lvstore.clusterSizeBytes);
  const neededBytes = parameters.thinProvision ? lvstore.clusterSizeBytes : sizeBytes;
  if (lvstore.freeBytes < neededBytes) return noSpace(place, sizeBytes);
  const { overcommitRatio } = parameters;
  if (overcommitRatio === undefined || !parameters.thinProvision) return undefined;
  const promised = (await target.lvols())
    .filter((lvol) => lvol.lvstore === lvstore.name && !lvol.isReadOnly)
    .reduce((sum, lvol) => sum + lvol.sizeBytes, sizeBytes);
  const limit = (lvstore.totalBytes * BigInt(Math.round(overcommitRatio * 1e6))) / 1_000_000n;
  if (promised <= limit) return undefined;
  return new DriverError(
    "NO_SPACE",
    `lvstore ${lvstore.name} on ${target.name} would promise ${humanBytes(promised)}, overcommitRatio ${overcommitRatio} allows ${humanBytes(limit)}: delete volumes or raise it`,
  );
}

/** The error of a place that is full. */
export function noSpace({ target, lvstore }: Place, sizeBytes: bigint, cause?: unknown): DriverError {
  return new DriverError(
    "NO_SPACE",
    `lvstore ${lvstore.name} on ${target.name} has ${humanBytes(lvstore.freeBytes)} free, ${humanBytes(sizeBytes)} asked: delete volumes or add an lvstore`,
    { cause },
  );
}

function nowhere({ parameters, accessibility }: VolumeRequest): DriverError {
  const wanted = [
    parameters.target !== undefined && `target "${parameters.target}"`,
    parameters.lvstore !== undefined && `lvstore "${parameters.lvstore}"`,
    (accessibility?.requisite ?? []).length > 0 &&
      `topology ${accessibility?.requisite.map(({ segments }) => JSON.stringify(segments)).join(" or ")}`,
  ].filter((each) => each !== false);
  return new DriverError(
    "NO_SPACE",
    `no target has an lvstore that ${wanted.length === 0 ? "takes volumes" : `fits ${wanted.join(", ")}`}: make one with bdev_lvol_create_lvstore, or change the StorageClass`,
  );
}
