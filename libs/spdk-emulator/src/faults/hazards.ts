import { isFields } from "../rpc/decode.ts";
import type { Version } from "../version.ts";

/** What a real target does when calls of these names on one subsystem, or of one transport, are in flight together. */
interface Hazard {
  /** The calls in the order in which they came, without `nvmf_` and `subsystem_`, as "delete+add_ns". */
  readonly calls: string;
  readonly fate: "crashes" | "hangs";
}

const CRASHES = (calls: string): Hazard => ({ calls, fate: "crashes" });

/** Recorded on v24.01, v24.05, v25.05 and v26.09: each is carried out, and what the two share kills the target later. */
const EVERY: readonly Hazard[] = [CRASHES("create_transport+create_transport")];

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
    if (!method.startsWith("nvmf_") || !isFields(params)) return forgotten;
    const object = params["nqn"] ?? (method === "nvmf_create_transport" ? params["trtype"] : undefined);
    if (typeof object !== "string") return forgotten;
    const name = method.replace(/^nvmf_(?:subsystem_)?/, "").replace(/_subsystem$/, "");
    const others = this.#inFlight.get(object) ?? [];
    for (const { calls, fate } of this.#known) {
      if (others.some((other) => calls === `${other}+${name}`)) this.#count(`${fate}: ${calls}`);
    }
    this.#inFlight.set(object, [...others, name]);
    // A reply leaves after all that came with the request has been read.
    return () => setImmediate(() => this.#ended(object, name));
  }

  #count(hazard: string): void {
    this.#counts.set(hazard, (this.#counts.get(hazard) ?? 0) + 1);
  }

  #ended(object: string, name: string): void {
    const others = this.#inFlight.get(object) ?? [];
    const rest = others.toSpliced(others.indexOf(name), 1);
    if (rest.length === 0) this.#inFlight.delete(object);
    else this.#inFlight.set(object, rest);
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

/** Versions between the recorded ones are taken for the recorded one before them. */
function hazardsOf(version: Version): readonly Hazard[] {
  if (version.from("26.09")) return V26_09;
  if (version.from("26.05")) return V26_05;
  if (version.from("25.01")) return V25_05;
  return version.from("24.05") ? V24_05 : EVERY;
}
