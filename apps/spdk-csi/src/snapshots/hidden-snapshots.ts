import { SpdkRpcError } from "@org/spdk-rpc";

import type { Located } from "../targets/located.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { LvolTurns } from "../targets/lvol-turns.ts";
import type { Target } from "../targets/target.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";

/** So many lvols are asked for in one write. */
const READ_AT_ONCE = 64;

/** An lvol that no user sees; of a deleted snapshot the tombstone as well. */
interface Hidden {
  readonly uuid: string;
  readonly tombstone?: string;
}

/**
 * Snapshots that no user sees: those under clones of volumes, and deleted ones on which clones still stand. SPDK can
 * neither delete a snapshot with two clones nor rename one, so an empty lvol, the tombstone, says that it was deleted.
 */
export class HiddenSnapshots {
  readonly #names: LvolNames;
  readonly #turns: LvolTurns;
  /** Internal snapshots whose clone is being made: not to be swept. */
  readonly #inUse = new Map<string, number>();

  constructor(names: LvolNames, turns: LvolTurns) {
    this.#names = names;
    this.#turns = turns;
  }

  /** Calls `work` while the lvol of this name is not swept. */
  async using<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#inUse.set(name, (this.#inUse.get(name) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#inUse.get(name) ?? 1) - 1;
      if (left === 0) this.#inUse.delete(name);
      else this.#inUse.set(name, left);
    }
  }

  /** Whether a snapshot was deleted and is still there because clones stand on it. */
  async isBuried(target: Target, lvol: Lvol): Promise<boolean> {
    return (await target.findLvol(this.#tombstoneAlias(lvol))) !== undefined;
  }

  #tombstoneAlias({ lvstore, uuid }: Lvol): string {
    return `${lvstore}/${this.#names.tombstone(uuid)}`;
  }

  /** Hides a snapshot that cannot be deleted yet. */
  async bury(target: Target, lvol: Lvol): Promise<void> {
    const name = this.#names.tombstone(lvol.uuid);
    const place = { lvs_name: lvol.lvstore, lvol_name: name, thin_provision: true };
    try {
      await target.call("bdev_lvol_create", { ...place, size: 0 });
    } catch (error) {
      if (!(error instanceof SpdkRpcError) || !(await this.isBuried(target, lvol))) throw error;
    }
  }

  /** Deletes what stood hidden under an lvol that is gone, as far down as nothing else stands on it. */
  async releaseBase({ target, lvol }: Located): Promise<void> {
    let base = lvol.baseSnapshot;
    while (base !== undefined) {
      const below = await target.findLvol(`${lvol.lvstore}/${base}`);
      if (below === undefined) return;
      const isInternal = this.#names.parse(below.name).kind === "internal";
      if (!isInternal && !(await this.isBuried(target, below))) return;
      if (!(await this.#deleteIfUnneeded(target, below))) return;
      if (!isInternal) await this.#deleteTombstone(target, below);
      base = below.baseSnapshot;
    }
  }

  async #deleteTombstone(target: Target, lvol: Lvol): Promise<void> {
    const tombstone = await target.findLvol(this.#tombstoneAlias(lvol));
    if (tombstone !== undefined) await this.#deleteIfUnneeded(target, tombstone);
  }

  /**
   * Deletes all that nothing needs any more: what a call that died did not come to. What the target refuses to delete is
   * left for another time; resolves to why.
   */
  async sweep(target: Target): Promise<readonly SpdkRpcError[]> {
    await target.facts();
    // An lvstore is listed before its lvols are: what is not there yet would be taken for gone.
    if (!(await target.examined())) return [];
    const named = await target.lvolNames();
    const uuids = new Set(named.map(({ uuid }) => uuid));
    const hidden = named.flatMap(({ uuid, name }): Hidden[] => {
      const parsed = this.#names.parse(name);
      if (parsed.kind === "internal") return [{ uuid }];
      if (parsed.kind === "generation" && !uuids.has(parsed.volumeUuid)) return [{ uuid }];
      return parsed.kind === "tombstone" ? [{ uuid: parsed.snapshotUuid, tombstone: uuid }] : [];
    });
    const refusals: SpdkRpcError[] = [];
    while (hidden.length > 0) {
      const some = hidden.splice(0, READ_AT_ONCE);
      const lvols = await Promise.allSettled(some.map(({ uuid }) => target.findLvol(uuid)));
      for (const [index, lvol] of lvols.entries()) {
        try {
          if (lvol.status === "rejected") throw lvol.reason;
          await this.#sweepOne(target, lvol.value, some[index]?.tombstone);
        } catch (error) {
          if (!(error instanceof SpdkRpcError)) throw error;
          refusals.push(error);
        }
      }
    }
    return refusals;
  }

  async #sweepOne(target: Target, lvol: Lvol | undefined, tombstone: string | undefined): Promise<void> {
    if (lvol !== undefined) {
      if (!(await this.#deleteIfUnneeded(target, lvol))) return;
      await this.releaseBase({ target, lvol });
    }
    const mark = tombstone === undefined ? undefined : await target.findLvol(tombstone);
    if (mark !== undefined) await this.#deleteIfUnneeded(target, mark);
  }

  /** Deletes an lvol that at most one clone stands on; whether it is gone. */
  async #deleteIfUnneeded(target: Target, lvol: Lvol): Promise<boolean> {
    if (lvol.clones.length > 1 || this.#inUse.has(lvol.name)) return false;
    try {
      const remove = () => target.call("bdev_lvol_delete", { name: lvol.uuid });
      await this.#turns.inFamily(target, lvol.lvstore, remove);
      return true;
    } catch (error) {
      if (!(error instanceof SpdkRpcError)) throw error;
      const now = await target.findLvol(lvol.uuid);
      if (now === undefined) return true;
      // A clone was made of it meanwhile: it is needed again.
      if (now.clones.length > 1) return false;
      throw error;
    }
  }
}
