import { SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";

/** An empty lvol whose name says which generation of a volume's export it is, and whose. */
export interface GenerationMarker {
  readonly uuid: string;
  readonly name: string;
  readonly number: number;
  readonly ownerHash: string;
}

/** What was listed of a target. */
interface MarkerList {
  /** By their volume's uuid. */
  readonly markers: Map<string, readonly GenerationMarker[]>;
  /** Whether none can have been left out; else it is asked for again. */
  readonly isWhole: boolean;
}

/**
 * The markers on targets. They are listed once for each lvstore, with the first volume that this process does not know;
 * a marker is asked for by its name before it is trusted, since another controller may have changed it.
 */
export class GenerationMarkers {
  readonly #names: LvolNames;
  readonly #lists = new Map<string, Promise<MarkerList>>();

  constructor(names: LvolNames) {
    this.#names = names;
  }

  /** Whether a generation is that of an owner. */
  isOwner({ ownerHash }: GenerationMarker, owner: string): boolean {
    return ownerHash === this.#names.ownerHash(owner);
  }

  /**
   * The markers of a volume, that of the latest generation first: further ones are what a controller left that died.
   * `expected` is what this process found or made last.
   */
  async find(target: Target, lvol: Lvol, expected?: readonly GenerationMarker[]): Promise<readonly GenerationMarker[]> {
    const markers = expected ?? (await this.#of(target, lvol));
    const [latest] = markers;
    if (latest === undefined) return [];
    const found = await target.findLvol(`${lvol.lvstore}/${latest.name}`);
    return found?.uuid === latest.uuid ? markers : this.#of(target, lvol, "anew");
  }

  /** Whether a volume of which nothing was found has no marker for sure. */
  isWhole(target: Target, { lvstore }: Lvol): boolean {
    return this.#lists.has(keyOf(target, lvstore));
  }

  /**
   * Begins the generation behind those that were found. When this returns it is on disk, and the volume has no other;
   * throws CONFLICT where another controller begins one at the same time.
   */
  async begin(
    target: Target,
    lvol: Lvol,
    [latest, ...others]: readonly GenerationMarker[],
    owner: string,
  ): Promise<GenerationMarker> {
    const name = this.#names.generation(lvol.uuid, (latest?.number ?? 0) + 1, owner);
    if (latest === undefined) return this.#make(target, lvol, name);
    await this.#rename(target, lvol, latest, name);
    for (const other of others) await deleteMarker(target, other.uuid);
    const begun = { uuid: latest.uuid, name, number: latest.number + 1, ownerHash: this.#names.ownerHash(owner) };
    await this.#note(target, lvol, [begun]);
    return begun;
  }

  async #make(target: Target, lvol: Lvol, name: string): Promise<GenerationMarker> {
    const { lvstore } = lvol;
    let made: string | undefined;
    try {
      const params = { lvs_name: lvstore, lvol_name: name, thin_provision: true, size: 0 };
      made = await target.call("bdev_lvol_create", params);
    } catch (error) {
      // It may be there all the same, or by another controller.
      if (!(error instanceof SpdkRpcError) || (await target.findLvol(`${lvstore}/${name}`)) === undefined) throw error;
    }
    // Of two controllers that each make a first one, one at least sees both.
    const [begun, ...others] = await this.#of(target, lvol, "anew");
    if (begun?.name === name && others.length === 0) return begun;
    if (made !== undefined) await deleteMarker(target, made);
    this.#unlist(target, lvol);
    throw isMovedElsewhere(target, lvol);
  }

  async #rename(target: Target, lvol: Lvol, { uuid, name: before }: GenerationMarker, name: string): Promise<void> {
    const { lvstore } = lvol;
    try {
      await target.call("bdev_lvol_rename", { old_name: `${lvstore}/${before}`, new_name: name });
    } catch (error) {
      if (!(error instanceof SpdkRpcError)) throw error;
      const found = await target.findLvol(uuid);
      if (found?.name === name) return;
      this.#unlist(target, lvol);
      throw found?.name === before ? error : isMovedElsewhere(target, lvol, error);
    }
  }

  /** Deletes the markers of an lvol that is gone. */
  async remove(target: Target, lvol: Lvol, expected?: readonly GenerationMarker[]): Promise<void> {
    const markers = expected ?? (await this.#of(target, lvol));
    for (const { uuid } of markers) await deleteMarker(target, uuid);
    await this.#note(target, lvol, []);
  }

  async #of(target: Target, lvol: Lvol, when?: "anew"): Promise<readonly GenerationMarker[]> {
    if (when === "anew") this.#unlist(target, lvol);
    return (await this.#list(target, lvol)).markers.get(lvol.uuid) ?? [];
  }

  #list(target: Target, { lvstore }: Lvol): Promise<MarkerList> {
    const key = keyOf(target, lvstore);
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const list = this.#read(target);
    const forget = (): void => {
      if (this.#lists.get(key) === list) this.#lists.delete(key);
    };
    list.then(({ isWhole }) => isWhole || forget(), forget);
    this.#lists.set(key, list);
    return list;
  }

  /** Keeps the list right, if there is one. */
  async #note(target: Target, lvol: Lvol, markers: readonly GenerationMarker[]): Promise<void> {
    const list = await this.#lists.get(keyOf(target, lvol.lvstore));
    if (markers.length > 0) list?.markers.set(lvol.uuid, markers);
    else list?.markers.delete(lvol.uuid);
  }

  #unlist(target: Target, { lvstore }: Lvol): void {
    this.#lists.delete(keyOf(target, lvstore));
  }

  async #read(target: Target): Promise<MarkerList> {
    const isWhole = await isExamined(target);
    const markers = new Map<string, readonly GenerationMarker[]>();
    for (const { uuid, name } of await target.lvolNames()) {
      const read = this.#names.parse(name);
      if (read.kind !== "generation") continue;
      const { volumeUuid, number, ownerHash } = read;
      const all = [...(markers.get(volumeUuid) ?? []), { uuid, name, number, ownerHash }];
      markers.set(
        volumeUuid,
        all.toSorted((one, other) => other.number - one.number),
      );
    }
    return { markers, isWhole };
  }
}

/** Whether every lvol has turned up. Where a disk has died that may never be so, and the others' volumes do not wait. */
async function isExamined(target: Target): Promise<boolean> {
  return (await target.facts()).delays.length === 0 && target.examined();
}

function keyOf({ key }: Target, lvstore: string): string {
  return `${key} ${lvstore}`;
}

function isMovedElsewhere(target: Target, { alias }: Lvol, cause?: Error): DriverError {
  return new DriverError(
    "CONFLICT",
    `another controller is moving volume ${alias} on ${target.name}; the call can be repeated`,
    { cause },
  );
}

async function deleteMarker(target: Target, uuid: string): Promise<void> {
  try {
    await target.call("bdev_lvol_delete", { name: uuid });
  } catch (error) {
    if (!(error instanceof SpdkRpcError) || (await target.findLvol(uuid)) !== undefined) throw error;
  }
}
