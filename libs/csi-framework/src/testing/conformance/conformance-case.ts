import type { Need } from "./offer.ts";
import type { Orchestrator } from "./orchestrator.ts";

/** One thing that a plugin must do. Runs with a channel of its own and leaves nothing behind. */
export interface ConformanceCase {
  /** A sentence whose subject is an RPC. */
  readonly name: string;
  /** Throws an Error that says what the plugin did instead. */
  readonly run: () => Promise<void>;
  /** Why it is not run. */
  readonly skip?: string;
}

/** Plays a container orchestrator, and throws when the plugin does not play along. */
export type Play = (co: Orchestrator) => Promise<void>;

/** Cases about one subject; the key of each is the rest of its sentence. */
export interface CaseGroup {
  readonly subject: string;
  /** What all of them rest on. */
  readonly needs: readonly Need[];
  readonly cases: Readonly<Record<string, Play | NeedyPlay>>;
}

/** A case that rests on more than its group. */
export interface NeedyPlay {
  readonly needs: readonly Need[];
  readonly play: Play;
}

/** Marks a case as resting on these, too. */
export function needing(needs: readonly Need[], play: Play): NeedyPlay {
  return { needs, play };
}
