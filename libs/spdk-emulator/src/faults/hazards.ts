import { isFields } from "../rpc/decode.ts";
import type { Version } from "../version.ts";

/** What a real target does when calls of these names on one subsystem are in flight together. */
interface Hazard {
  /** The calls in the order in which they came, without `nvmf_` and `subsystem_`, as "delete+add_ns". */
  readonly calls: string;
  readonly fate: "crashes" | "hangs";
}

const CRASHES = (calls: string): Hazard => ({ calls, fate: "crashes" });

/** Recorded on v24.05, where the rest was not tried. */
const V24_05: readonly Hazard[] = [
  CRASHES("delete+delete"),
  CRASHES("remove_ns+delete"),
  { calls: "add_ns+delete", fate: "hangs" },
  { calls: "remove_listener+delete", fate: "hangs" },
];

/** Recorded on v25.05. */
const V25_05: readonly Hazard[] = [
  ...["delete+delete", "add_ns+delete", "remove_ns+delete", "add_listener+delete", "remove_listener+delete"].map(
    CRASHES,
  ),
  ...["delete+add_ns", "delete+remove_ns"].map(CRASHES),
];

/** Recorded on v26.09. */
const V26_09: readonly Hazard[] = [CRASHES("delete+remove_host")];

/** How often calls were in flight together that crash or hang a real target of the version. */
export class Hazards {
  readonly #known: readonly Hazard[];
  readonly #inFlight = new Map<string, string[]>();
  readonly #counts = new Map<string, number>();

  constructor(version: Version) {
    this.#known = hazardsOf(version);
  }

  /** Remembers a call until the returned function is called, when it has had its reply or gets none. */
  began(method: string, params: unknown): () => void {
    if (this.#known.length === 0 || !method.startsWith("nvmf_")) return forgotten;
    const nqn = isFields(params) ? params["nqn"] : undefined;
    if (typeof nqn !== "string") return forgotten;
    const name = method.replace(/^nvmf_(?:subsystem_)?/, "").replace(/_subsystem$/, "");
    const others = this.#inFlight.get(nqn) ?? [];
    for (const { calls, fate } of this.#known) {
      if (others.some((other) => calls === `${other}+${name}`)) this.#count(`${fate}: ${calls}`);
    }
    this.#inFlight.set(nqn, [...others, name]);
    // A reply leaves after all that came with the request has been read.
    return () => setImmediate(() => this.#ended(nqn, name));
  }

  #count(hazard: string): void {
    this.#counts.set(hazard, (this.#counts.get(hazard) ?? 0) + 1);
  }

  #ended(nqn: string, name: string): void {
    const others = this.#inFlight.get(nqn) ?? [];
    const rest = others.toSpliced(others.indexOf(name), 1);
    if (rest.length === 0) this.#inFlight.delete(nqn);
    else this.#inFlight.set(nqn, rest);
  }

  /** Counts by name, as "crashes: delete+delete". */
  describe(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  reset(): void {
    this.#counts.clear();
  }
}

function forgotten(): void {
  // It cannot meet a call that does harm.
}

/** Versions between the recorded ones are taken for the recorded one before them; none died before v24.05. */
function hazardsOf(version: Version): readonly Hazard[] {
  if (version.from("26.05")) return V26_09;
  if (version.from("25.01")) return V25_05;
  return version.from("24.05") ? V24_05 : [];
}
