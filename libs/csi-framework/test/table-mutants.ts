import { MESSAGES, type MessageFacts } from "../src/messages.ts";
import { METHODS, type MethodFacts } from "../src/methods.ts";

/** A fact of the tables taken away or turned round. */
export interface Mutant {
  readonly name: string;
  readonly apply: () => void;
}

/** Every fact of both tables, each missing in a mutant of its own. */
export const MUTANTS: readonly Mutant[] = [
  ...Object.entries(METHODS).flatMap(([rpc, facts]) =>
    withoutOne(facts).map(([what, mutated]) => mutant(METHODS, rpc, what, mutated)),
  ),
  ...Object.entries(MESSAGES).flatMap(([message, facts]) =>
    withoutOne(facts).map(([what, mutated]) => mutant(MESSAGES, message, what, mutated)),
  ),
];

function mutant(table: object, row: string, what: string, facts: MethodFacts | MessageFacts): Mutant {
  return { name: `${row}: ${what}`, apply: () => Object.assign(table, { [row]: facts }) };
}

function withoutOne<F extends MethodFacts | MessageFacts>(facts: F): readonly (readonly [string, F])[] {
  return Object.entries(facts).flatMap(([key, value]: [string, unknown]) => {
    const changed = (to: unknown, what: string): readonly [string, F] => [`${key} ${what}`, { ...facts, [key]: to }];
    if (key === "logLevel") return [changed(value === "info" ? "debug" : "info", "turned")];
    if (key === "atMost") return [changed([...(value as string[])].reverse(), "turned"), changed(undefined, "missing")];
    if (Array.isArray(value)) {
      return value.map((item: string) =>
        changed(
          value.filter((other) => other !== item),
          `without ${item}`,
        ),
      );
    }
    return Object.keys(value as object).map((field) =>
      changed(
        Object.fromEntries(Object.entries(value as object).filter(([other]) => other !== field)),
        `without ${field}`,
      ),
    );
  });
}
