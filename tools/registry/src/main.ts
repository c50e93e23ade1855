// Publishes the packages to a registry that lives as long as this program, installs them from there into a fresh project,
// and uses them as a stranger would. The last line counts what was proven.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { Proofs } from "./proofs.ts";
import { proveAll } from "./prove-all.ts";
import { Undo } from "./undo.ts";

const USAGE = `Usage: npm run registry [-- --keep]

  --keep  leave the project into which the packages were installed, to look at it
`;

async function main(keep: boolean): Promise<boolean> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  }
  const undo = new Undo();
  const proofs = new Proofs((line) => process.stdout.write(`${line}\n`), stop.signal);
  try {
    const dir = await mkdtemp(join(tmpdir(), "registry-"));
    if (keep) process.stdout.write(`kept: the project is in ${join(dir, "project")}\n`);
    else undo.add(() => rm(dir, { recursive: true, force: true }));
    const root = resolve(import.meta.dirname, "../../..");
    await proveAll(proofs, { root, dir, env: process.env, signal: stop.signal, undo });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
  for (const error of await undo.all()) proofs.fail("clean up", error);
  process.stdout.write(`${proofs.passed} passed, ${proofs.failed} failed\n`);
  return proofs.failed === 0;
}

const { values } = parseArgs({
  options: { keep: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
});
if (values.help) process.stdout.write(USAGE);
else process.exitCode = (await main(values.keep)) ? 0 : 1;
