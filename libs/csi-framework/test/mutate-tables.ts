// Takes each fact of the tables away in turn, and expects that a test of them fails.
// Usage: node libs/csi-framework/test/mutate-tables.ts
import { startVitest } from "vitest/node";

import { MUTANTS } from "./table-mutants.ts";

async function testsPass(mutant?: string): Promise<boolean> {
  const vitest = await startVitest("test", ["libs/csi-framework/src/methods.test.ts"], {
    watch: false,
    bail: 1,
    reporters: [{}],
    typecheck: { enabled: false },
    ...(mutant !== undefined && { setupFiles: ["libs/csi-framework/test/mutate.ts"], env: { MUTANT: mutant } }),
  });
  const modules = vitest.state.getTestModules();
  const [error] = modules.flatMap((module) => module.errors());
  if (error !== undefined || modules.length !== 1)
    throw new Error(`${mutant}: the tests do not start`, { cause: error });
  await vitest.close();
  return modules.every((module) => module.ok());
}

if (!(await testsPass())) throw new Error("the tests fail without a mutant, too");

const survived: string[] = [];
for (const { name } of MUTANTS) if (await testsPass(name)) survived.push(name);
process.stdout.write(survived.map((name) => `survived: ${name}\n`).join(""));
process.stdout.write(`${MUTANTS.length - survived.length} of ${MUTANTS.length} mutants found\n`);
// Runs that find a mutant have set it to 1.
process.exitCode = survived.length === 0 ? 0 : 1;
