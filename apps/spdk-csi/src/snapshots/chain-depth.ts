import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";

/** On so many snapshots a volume may stand. */
export const MAX_CHAIN_DEPTH = 64;

/** On how many snapshots an lvol stands, counted up to {@link MAX_CHAIN_DEPTH}. */
export async function chainDepth(target: Target, lvol: Lvol): Promise<number> {
  let depth = 0;
  for (let base = lvol.baseSnapshot; base !== undefined && depth < MAX_CHAIN_DEPTH; depth += 1) {
    base = (await target.findLvol(`${lvol.lvstore}/${base}`))?.baseSnapshot;
  }
  return depth;
}
