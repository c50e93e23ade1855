import { rm } from "node:fs/promises";
import { join } from "node:path";

import { run } from "./child.ts";
import { OUT, type Project } from "./fresh-project.ts";
import type { Kit } from "./kit.ts";
import type { Proofs } from "./proofs.ts";

/** Every compiler that users have checks the program, as an ESM and as a CJS module, and the README's; they stay compiled. */
export async function proveTypes(proofs: Proofs, { compilers }: Kit, { dir, options }: Project): Promise<void> {
  for (const { version, path } of compilers) {
    await proofs.prove(`TypeScript ${version}`, async () => {
      await rm(join(dir, OUT), { recursive: true, force: true });
      await run("node", [path, "-p", "."], options);
      return "the .mts and .cts programs and the packages' declarations check, strictly";
    });
  }
}
