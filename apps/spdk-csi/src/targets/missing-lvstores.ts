import type { Lvstore } from "./lvstore.ts";

/**
 * Says which lvstores should be there and are not; undefined when all are. Those that the configuration names should be,
 * else those that were there before: after a restart they are missing until their base bdevs are attached, and a volume
 * that is not found meanwhile is not gone.
 */
export function missingLvstores(
  present: readonly Lvstore[],
  wanted: readonly string[] | undefined,
  seen: ReadonlyMap<string, string>,
): string | undefined {
  if (wanted !== undefined) {
    const names = wanted.filter((name) => !present.some((store) => store.name === name));
    return names.length === 0 ? undefined : lacks(names, "take it out of the config's lvstores if it is gone for good");
  }
  const names = [...seen].filter(([uuid]) => !present.some((store) => store.uuid === uuid)).map(([, name]) => name);
  if (names.length > 0) return lacks(names, "name those that are left in the config's lvstores if it is gone for good");
  if (present.length > 0) return undefined;
  return "has no lvstore: attach its base bdev, or make one with bdev_lvol_create_lvstore";
}

function lacks(names: readonly string[], otherwise: string): string {
  return `lacks lvstore ${names.join(", ")}: attach its base bdev, or ${otherwise}`;
}
