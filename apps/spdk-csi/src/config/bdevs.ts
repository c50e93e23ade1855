import type { Field } from "./document.ts";
import { BDEV_METHODS, type BdevConfig } from "./target-config.ts";

const KINDS = Object.keys(BDEV_METHODS) as (keyof typeof BDEV_METHODS)[];

/** Reads a target's base bdevs: a list of objects of one field each, the kind, which holds the parameters of SPDK's method. */
export function readBdevs(field: Field): readonly BdevConfig[] {
  if (!field.isGiven) return [];
  const names = new Set<string>();
  return field.list().flatMap((item): BdevConfig[] => {
    const get = item.object(KINDS);
    if (get === undefined) return [];
    const [kind, ...others] = KINDS.filter((known) => get(known).isGiven);
    if (kind === undefined || others.length > 0) {
      item.fail(`must have one field, the bdev's kind: ${KINDS.join(", ")}`);
      return [];
    }
    const bdev = get(kind);
    const params = bdev.entries();
    if (params === undefined) return [];
    const [, name] = params.find(([key]) => key === "name") ?? [];
    if (name === undefined) bdev.fail("must have a name, as SPDK's method does");
    const text = name?.text() ?? "";
    if (text !== "" && names.has(text)) name?.mustBe(`unique, but "${text}" stands twice`);
    names.add(text);
    return [{ kind, name: text, params: Object.fromEntries(params.map(([key, { value }]) => [key, value])) }];
  });
}
