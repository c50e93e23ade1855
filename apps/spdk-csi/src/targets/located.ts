import type { Lvol } from "./lvol.ts";
import type { Target } from "./target.ts";

/** An lvol together with the target that holds it. */
export interface Located {
  readonly target: Target;
  readonly lvol: Lvol;
}
