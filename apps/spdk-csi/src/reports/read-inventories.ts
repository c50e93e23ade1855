import { SpdkError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import type { Target } from "../targets/target.ts";
import { type Inventory, readInventory } from "./inventory.ts";

/** A target of which a report lacks all or a part. */
export interface Gap {
  readonly target: string;
  readonly reason: string;
}

interface Held {
  readonly target: Target;
  readonly inventory: Inventory;
}

interface Silent {
  readonly target: Target;
  readonly reason: string;
}

/** What several targets hold, as far as they tell. */
export interface Inventories {
  readonly held: readonly Held[];
  readonly gaps: readonly Gap[];
}

/** Asks all targets side by side: one that is dead keeps nothing of the others back. */
export async function readInventories(targets: readonly Target[]): Promise<Inventories> {
  const asked = await Promise.all(
    targets.map(async (target): Promise<Held | Silent> => {
      try {
        return { target, inventory: await readInventory(target) };
      } catch (error) {
        if (!(error instanceof SpdkError) && !(error instanceof DriverError)) throw error;
        return { target, reason: error.message };
      }
    }),
  );
  const held = asked.filter((each) => "inventory" in each);
  const silent = asked.filter((each) => "reason" in each);
  return {
    held,
    gaps: [
      ...silent.map(({ target, reason }) => ({ target: target.name, reason })),
      ...held.flatMap(({ target, inventory: { missing } }) =>
        missing === undefined ? [] : [{ target: target.name, reason: `it ${missing}` }],
      ),
    ],
  };
}

/** Where a report is incomplete, a line for each target. */
export function formatGaps(gaps: readonly Gap[]): string {
  return gaps.map(({ target, reason }) => `not all of ${target} is listed: ${reason}\n`).join("");
}
