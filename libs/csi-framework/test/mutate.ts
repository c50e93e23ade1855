// A setup file of vitest: the tables are without the fact that MUTANT names.
import { MUTANTS } from "./table-mutants.ts";

const name = process.env["MUTANT"];
const mutant = MUTANTS.find((one) => one.name === name);
if (mutant === undefined) throw new Error(`no mutant ${name}`);
mutant.apply();
