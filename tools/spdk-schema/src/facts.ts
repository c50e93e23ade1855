import { rows } from "./rows.ts";

/** What is known of a method beside its parameters. */
export interface MethodFacts {
  /** One sentence of our own. */
  readonly description?: string;
  /** In which releases it is there; absent for a method that every supported release has. */
  readonly availability?: string;
}

/** Puts the tables of facts together, by method. */
export function readFacts(descriptionsTsv: string, methodsTsv: string): ReadonlyMap<string, MethodFacts> {
  const facts = new Map<string, MethodFacts>();
  for (const [method = "", from = "", to = ""] of rows(methodsTsv)) {
    if (to !== "") facts.set(method, { availability: `Up to ${to}.` });
    else if (from !== "v22.05") facts.set(method, { availability: `From ${from} on.` });
  }
  for (const [method = "", description = ""] of rows(descriptionsTsv)) {
    facts.set(method, { ...facts.get(method), description });
  }
  return facts;
}
