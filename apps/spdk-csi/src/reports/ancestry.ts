import type { Lvol } from "../targets/lvol.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";

/** What a volume was made of, and on how much it stands. */
export interface Ancestry {
  /** The number of snapshots below it. */
  readonly chainDepth: number;
  readonly source: { readonly kind: "snapshot" | "volume"; readonly uuid: string } | undefined;
}

/** Reads the ancestry of the volumes in one listing. */
export function ancestryIn(lvols: readonly Lvol[], names: LvolNames): (lvol: Lvol) => Ancestry {
  const byAlias = new Map(lvols.map((lvol) => [lvol.alias, lvol]));
  return (lvol) => {
    const chain = chainOf(lvol, byAlias);
    // Snapshots of its own were taken of it later; the first of another volume's is what it was made of.
    const first = chain.find((snapshot) => sourceUuid(names, snapshot) !== lvol.uuid);
    return { chainDepth: chain.length, source: first && toSource(first, names) };
  };
}

function chainOf(lvol: Lvol, byAlias: ReadonlyMap<string, Lvol>): readonly Lvol[] {
  const chain = new Set<Lvol>();
  for (let base = lvol.baseSnapshot; base !== undefined; ) {
    const snapshot = byAlias.get(`${lvol.lvstore}/${base}`);
    if (snapshot === undefined || chain.has(snapshot)) break;
    chain.add(snapshot);
    base = snapshot.baseSnapshot;
  }
  return [...chain];
}

function toSource(snapshot: Lvol, names: LvolNames): Ancestry["source"] {
  const name = names.parse(snapshot.name);
  return name.kind === "internal"
    ? { kind: "volume", uuid: name.sourceUuid }
    : { kind: "snapshot", uuid: snapshot.uuid };
}

function sourceUuid(names: LvolNames, { name }: Lvol): string | undefined {
  const parsed = names.parse(name);
  return "sourceUuid" in parsed ? parsed.sourceUuid : undefined;
}
