import { createHash } from "node:crypto";

import { longUuid, shortUuid } from "../uuid.ts";

/** SPDK's limit on an lvol's name, in bytes. */
const MAX_LVOL_NAME_BYTES = 63;

/** Letters that a name may have to be used as it is. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Beginnings that mean something below. */
const RESERVED = /^(?:v-|s\.|i\.|t\.|g\.)/;

/** What an lvol's name says about it; lvols of other clusters are "foreign" and never touched or listed. */
export type LvolName =
  | { readonly kind: "volume" }
  | { readonly kind: "snapshot"; readonly nameHash: string; readonly sourceUuid: string; readonly createdAt: Date }
  | { readonly kind: "internal"; readonly sourceUuid: string }
  | { readonly kind: "tombstone"; readonly snapshotUuid: string }
  | {
      readonly kind: "generation";
      readonly volumeUuid: string;
      readonly number: number;
      readonly ownerHash: string;
    }
  | { readonly kind: "foreign" };

/** An lvol, as far as it tells what it is. */
interface NamedLvol {
  readonly name: string;
  readonly isSnapshot: boolean;
  readonly isReadOnly: boolean;
}

/** Snapshots of upstream's driver have the name that csi-snapshotter gave them; a load of the lvstore may have left nothing else. */
function isPlainSnapshot({ name, isSnapshot, isReadOnly }: NamedLvol): boolean {
  return isSnapshot || (isReadOnly && name.startsWith("snapshot-"));
}

function hash(text: string, characters: number): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, characters);
}

/**
 * The names that lvols get on disk. SPDK keeps nothing of ours but this name, so it carries what must outlast
 * a restart of everything: the cluster, a snapshot's source, its time.
 */
export class LvolNames {
  readonly #prefix: string;

  constructor(cluster: string) {
    this.#prefix = cluster === "default" ? "" : `${cluster}~`;
  }

  /** The lvol of the volume with this CSI name: the name itself where SPDK can take it, else a hash of it. */
  volume(name: string): string {
    const plain = `${this.#prefix}${name}`;
    if (PLAIN.test(name) && !RESERVED.test(name) && Buffer.byteLength(plain) <= MAX_LVOL_NAME_BYTES) return plain;
    const digest = createHash("sha256").update(name).digest("hex").slice(0, 40);
    return `${this.#prefix}v-${digest}`;
  }

  /** A user's snapshot. Two creates of one name differ in their time only: `snapshotHash` finds them. */
  snapshot(name: string, sourceUuid: string, createdAt: Date): string {
    return `${this.#prefix}s.${this.snapshotHash(name)}.${shortUuid(sourceUuid)}.${createdAt.getTime().toString(36)}`;
  }

  /** The part of a snapshot's name that stands for its CSI name. */
  snapshotHash(name: string): string {
    return hash(name, Math.min(22, MAX_LVOL_NAME_BYTES - this.#prefix.length - 35));
  }

  /** The snapshot under a volume's clone, made for that clone alone. */
  internalSnapshot(sourceUuid: string, cloneName: string): string {
    return `${this.#prefix}i.${shortUuid(sourceUuid)}.${hash(cloneName, 16)}`;
  }

  /**
   * An empty lvol that says of a snapshot that it was deleted. SPDK can neither delete a snapshot with two clones nor
   * rename one, so it stays, hidden, until its clones are gone.
   */
  tombstone(snapshotUuid: string): string {
    return `${this.#prefix}t.${shortUuid(snapshotUuid)}`;
  }

  /** An empty lvol that says of a volume which generation its export is, and whose: another host begins another one. */
  generation(volumeUuid: string, number: number, owner: string): string {
    return `${this.#prefix}g.${shortUuid(volumeUuid)}.${number.toString(36)}.${this.ownerHash(owner)}`;
  }

  /** The part of a generation's name that stands for its owner; with the longest prefix it leaves a number 4 digits. */
  ownerHash(owner: string): string {
    return hash(owner, 12);
  }

  /** Whether an lvol is a volume of this cluster, or a plain one of nobody's. */
  isVolume(lvol: NamedLvol): boolean {
    return this.parse(lvol.name).kind === "volume" && !isPlainSnapshot(lvol);
  }

  /** Whether an lvol is a user's snapshot: one of ours by its name, or one that upstream's driver took. */
  isSnapshot(lvol: NamedLvol): boolean {
    const { kind } = this.parse(lvol.name);
    return kind === "snapshot" || (kind === "volume" && isPlainSnapshot(lvol));
  }

  /** Reads a name back. A plain name without any cluster's mark is a volume, whoever made it. */
  parse(lvolName: string): LvolName {
    if (!lvolName.startsWith(this.#prefix)) return { kind: "foreign" };
    const own = lvolName.slice(this.#prefix.length);
    if (own.includes("~")) return { kind: "foreign" };
    const [mark, ...rest] = own.split(".");
    const source = longUuid((mark === "s" ? rest[1] : rest[0]) ?? "");
    if (source === undefined) return { kind: "volume" };
    if (mark === "t" && rest.length === 1) return { kind: "tombstone", snapshotUuid: source };
    if (mark === "i" && rest.length === 2) return { kind: "internal", sourceUuid: source };
    if (mark === "g" && rest.length === 3) {
      const [, number = "", ownerHash = ""] = rest;
      if (!/^[0-9a-z]{1,8}$/.test(number)) return { kind: "volume" };
      return { kind: "generation", volumeUuid: source, number: Number.parseInt(number, 36), ownerHash };
    }
    if (mark === "s" && rest.length === 3) {
      const milliseconds = Number.parseInt(rest[2] ?? "", 36);
      if (!Number.isFinite(milliseconds)) return { kind: "volume" };
      return { kind: "snapshot", nameHash: rest[0] ?? "", sourceUuid: source, createdAt: new Date(milliseconds) };
    }
    return { kind: "volume" };
  }
}
