import type { Target } from "./target.ts";

/** Does one check and prints its line; a check that fails does not end the others. */
export type Check = (name: string, work: () => Promise<void>) => Promise<void>;
export type Group = (target: Target, check: Check) => Promise<void>;
