import { DriverError } from "../driver-error.ts";
import type { Located } from "../targets/located.ts";
import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";
import { parseVolumeId } from "./volume-id.ts";

/** Which lvol of which target an id names, whether it is there or not. */
export interface LvolPlace {
  readonly target: Target;
  readonly uuid: string;
}

/**
 * Where the lvol of that id is to be found. A bare uuid, as handles of upstream's are, is looked for on every target, of
 * which one that cannot be asked keeps nothing away that another one has; undefined when none has it, or the text is no id.
 */
export async function locate(targets: Targets, id: string): Promise<LvolPlace | undefined> {
  const parsed = parseVolumeId(id);
  if (parsed === undefined) return undefined;
  const { uuid } = parsed;
  if (parsed.target !== undefined) return { target: targets.get(parsed.target), uuid };
  const [only, ...others] = targets.distinct;
  if (only !== undefined && others.length === 0) return { target: only, uuid };
  const answers = await Promise.allSettled(
    targets.distinct.map(async (target) => ((await target.findLvol(uuid)) === undefined ? [] : [target])),
  );
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (found.length > 1) {
    const names = found.map(({ name }) => `"${name}"`).join(" and ");
    throw new DriverError(
      "NOT_READY",
      `lvol ${uuid} is on targets ${names}, and the id does not say which is meant: take away the copy, or use <target>:<uuid>`,
    );
  }
  const [target] = found;
  if (target !== undefined) return { target, uuid };
  for (const answer of answers) if (answer.status === "rejected") throw answer.reason;
  await Promise.all(targets.distinct.map((each) => each.assertAbsent(uuid)));
  return undefined;
}

/** The lvol of that id; undefined when its target answered that it has none. */
export async function findLocated(targets: Targets, id: string): Promise<Located | undefined> {
  const place = await locate(targets, id);
  if (place === undefined) return undefined;
  const { target, uuid } = place;
  const lvol = await target.findLvol(uuid);
  if (lvol === undefined) await target.assertAbsent(uuid);
  return lvol && { target, lvol };
}
