import { type Inventory, readInventory } from "../reports/inventory.ts";
import type { Target } from "../targets/target.ts";
import { checkBdevs } from "./check-bdevs.ts";
import { checkClock } from "./check-clock.ts";
import { checkExports, type Owner } from "./check-exports.ts";
import { checkLink } from "./check-link.ts";
import { checkLvstores } from "./check-lvstores.ts";
import { checkLimit, checkTransport } from "./check-nvmf.ts";
import { checkPortals } from "./check-portals.ts";
import { checkVersion } from "./check-version.ts";
import { attempt, type Finding, findingsOf } from "./finding.ts";

/** What a target is checked against. */
export interface TargetChecks extends Owner {
  readonly now: () => Date;
}

/** All that the controller needs of a target. Nothing is changed on it. */
export async function checkTarget(target: Target, checks: TargetChecks): Promise<readonly Finding[]> {
  const [{ findings, version }, clock] = await Promise.all([
    checkLink(target),
    attempt(findingsOf(`target ${target.name}`, "clock"), () => checkClock(target, checks.now)),
  ]);
  if (version === undefined) {
    const { skipped } = findingsOf(`target ${target.name}`, "all else");
    return [...findings, ...clock, skipped("the target cannot be asked", "see to what failed above first")];
  }
  return [...findings, ...checkVersion(target, version), ...clock, ...(await checkState(target, checks))];
}

/** What only the target itself tells; all questions go out together. */
async function checkState(target: Target, owner: Owner): Promise<readonly Finding[]> {
  const inventory = readInventory(target);
  const run = (check: string, work: (inventory: Inventory) => readonly Finding[] | Promise<readonly Finding[]>) =>
    attempt(findingsOf(`target ${target.name}`, check), async () => work(await inventory));
  const found = await Promise.all([
    run("lvstores", (held) => checkLvstores(target, held)),
    attempt(findingsOf(`target ${target.name}`, "bdevs"), () => checkBdevs(target)),
    attempt(findingsOf(`target ${target.name}`, "transport"), () => checkTransport(target)),
    run("portal", (held) => checkPortals(target, held)),
    run("subsystems", (held) => checkLimit(target, held)),
    run("exports", (held) => checkExports(target, held, owner)),
  ]);
  return found.flat();
}
