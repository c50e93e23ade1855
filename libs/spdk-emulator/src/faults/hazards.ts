import type { Lvol } from "../lvol/lvol.ts";
import { type Fields, isFields } from "../rpc/decode.ts";
import type { Version } from "../version.ts";

/** What a real target does when calls of these names on one subsystem or lvol, or of one transport, are in flight together. */
interface Hazard {
  /** The calls in the order in which they came, without `nvmf_`, `subsystem_` and `bdev_`, as "delete+add_ns". */
  readonly calls: string;
  readonly fate: "crashes" | "hangs";
}

const CRASHES = (calls: string): Hazard => ({ calls, fate: "crashes" });

/** Seen on v24.01, v24.05, v25.05 and v26.09: each is carried out, and what the two share kills the target at once or later. */
const EVERY: readonly Hazard[] = [
  "create_transport+create_transport",
  "lvol_delete+lvol_delete_of_base",
  "lvol_delete+lvol_delete_of_clone",
  "lvol_delete+lvol_resize",
  "lvol_delete+lvol_snapshot",
  "lvol_resize+lvol_delete",
  "lvol_snapshot+lvol_delete",
].map(CRASHES);

/** Recorded on v24.05, where the rest was not tried. */
const V24_05: readonly Hazard[] = [
  ...EVERY,
  CRASHES("delete+delete"),
  CRASHES("remove_ns+delete"),
  { calls: "add_ns+delete", fate: "hangs" },
  { calls: "remove_listener+delete", fate: "hangs" },
];

/** Recorded on v25.05. */
const V25_05: readonly Hazard[] = [
  ...EVERY,
  ...["delete+delete", "add_ns+delete", "remove_ns+delete", "add_listener+delete", "remove_listener+delete"].map(
    CRASHES,
  ),
  ...["delete+add_ns", "delete+remove_ns"].map(CRASHES),
];

/** Recorded on v26.09-pre, and taken for v26.05. */
const V26_05: readonly Hazard[] = [...EVERY, CRASHES("delete+remove_host")];

/** Recorded on v26.09-pre: a removed host is waited for, in a subsystem that is gone by then. */
const V26_09: readonly Hazard[] = [...V26_05, CRASHES("remove_host+delete")];

/** Calls that change an lvol, by the parameter that names it. */
const LVOL_CALLS: Readonly<Record<string, "name" | "lvol_name">> = {
  bdev_lvol_delete: "name",
  bdev_lvol_resize: "name",
  bdev_lvol_snapshot: "lvol_name",
};

/** A call that has had no reply yet. */
interface Call {
  readonly name: string;
  readonly object: string;
  /** What stood below and on the lvol that it deletes, when it came. */
  readonly base?: string | undefined;
  readonly clones?: readonly string[];
}

/** How often calls were in flight together that crash or hang a real target of the version. */
export class Hazards {
  readonly #known: readonly Hazard[];
  readonly #findLvol: (name: string) => Lvol | undefined;
  /** By their objects, and by those of their kin. */
  readonly #inFlight = new Map<string, readonly Call[]>();
  readonly #counts = new Map<string, number>();

  constructor(version: Version, findLvol: (name: string) => Lvol | undefined) {
    this.#known = hazardsOf(version);
    this.#findLvol = findLvol;
  }

  /** Remembers a call until the returned function is called, when it has had its reply or gets none. */
  began(method: string, params: unknown): () => void {
    const call = isFields(params) ? this.#read(method, params) : undefined;
    if (call === undefined) return forgotten;
    const objects = objectsOf(call);
    const others = new Set(objects.flatMap((object) => this.#inFlight.get(object) ?? []));
    const met = new Set([...others].map((other) => meeting(other, call)));
    for (const { calls, fate } of this.#known) if (met.has(calls)) this.#count(`${fate}: ${calls}`);
    for (const object of objects) this.#inFlight.set(object, [...(this.#inFlight.get(object) ?? []), call]);
    // A reply leaves after all that came with the request has been read.
    return () => setImmediate(() => this.#ended(call));
  }

  #read(method: string, params: Fields): Call | undefined {
    const parameter = LVOL_CALLS[method];
    if (parameter !== undefined) {
      const lvol = this.#findLvol(String(params[parameter]));
      if (lvol === undefined) return undefined;
      const call = { name: method.replace("bdev_", ""), object: lvol.uuid };
      if (method !== "bdev_lvol_delete") return call;
      return { ...call, base: lvol.parent?.uuid, clones: Array.from(lvol.clones, ({ uuid }) => uuid) };
    }
    if (!method.startsWith("nvmf_")) return undefined;
    const object = params["nqn"] ?? (method === "nvmf_create_transport" ? params["trtype"] : undefined);
    if (typeof object !== "string") return undefined;
    return { name: method.replace(/^nvmf_(?:subsystem_)?/, "").replace(/_subsystem$/, ""), object };
  }

  #count(hazard: string): void {
    this.#counts.set(hazard, (this.#counts.get(hazard) ?? 0) + 1);
  }

  #ended(call: Call): void {
    for (const object of objectsOf(call)) {
      const rest = this.#inFlight.get(object)?.filter((each) => each !== call) ?? [];
      if (rest.length === 0) this.#inFlight.delete(object);
      else this.#inFlight.set(object, rest);
    }
  }

  /** Counts by name, as "crashes: delete+delete". */
  describe(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  reset(): void {
    this.#counts.clear();
  }
}

/** What a call is in the way of. */
function objectsOf({ object, base, clones = [] }: Call): string[] {
  return base === undefined ? [object, ...clones] : [object, base, ...clones];
}

/** What it is called that a second call comes while a first one is under way; undefined where they have nothing to do with each other. */
function meeting(first: Call, second: Call): string | undefined {
  if (first.object === second.object) return `${first.name}+${second.name}`;
  if (isBase(second, first)) return `${first.name}+${second.name}_of_base`;
  return isBase(first, second) ? `${first.name}+${second.name}_of_clone` : undefined;
}

/** Whether either knew the one's lvol as the snapshot under the other's: a delete that is under way may have parted them. */
function isBase(one: Call, other: Call): boolean {
  return other.base === one.object || one.clones?.includes(other.object) === true;
}

function forgotten(): void {
  // It cannot meet a call that does harm.
}

/** Versions between the recorded ones are taken for the recorded one before them. */
function hazardsOf(version: Version): readonly Hazard[] {
  if (version.from("26.09")) return V26_09;
  if (version.from("26.05")) return V26_05;
  if (version.from("25.01")) return V25_05;
  return version.from("24.05") ? V24_05 : EVERY;
}
