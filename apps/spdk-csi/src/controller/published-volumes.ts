import type { Exports } from "../exports/exports.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";
import { formatVolumeId } from "../volumes/volume-id.ts";

/** A volume as ListVolumes shows it. */
export interface ListedVolume {
  readonly id: string;
  readonly target: Target;
  readonly lvol: Lvol;
  /** The nodes of this cluster that can reach it now. */
  readonly nodes: readonly string[];
}

/** The volumes of a target together with the nodes that they are published to. */
export class PublishedVolumes {
  readonly #names: LvolNames;
  readonly #exports: Exports;
  /** Volumes that are known by another id than the one that CreateVolume hands out: upstream's bare uuids. */
  readonly #ids = new Map<string, string>();

  constructor(names: LvolNames, exports: Exports) {
    this.#names = names;
    this.#exports = exports;
  }

  /** Remembers under which id a volume was published: the attacher looks for it under that one. */
  published(target: Target, uuid: string, id: string): void {
    const usual = formatVolumeId(target.name, uuid);
    if (id === usual) this.#ids.delete(usual);
    else this.#ids.set(usual, id);
  }

  /** Every volume of a target. */
  async list(target: Target): Promise<ListedVolume[]> {
    const [lvols, nodes] = await Promise.all([target.lvols(), this.#exports.publishedNodes(target)]);
    return lvols
      .filter((lvol) => this.#names.isVolume(lvol))
      .map((lvol) => {
        const usual = formatVolumeId(target.name, lvol.uuid);
        return { id: this.#ids.get(usual) ?? usual, target, lvol, nodes: nodes.get(lvol.uuid) ?? [] };
      });
  }
}
