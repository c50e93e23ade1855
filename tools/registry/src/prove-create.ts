import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { run } from "./child.ts";
import type { Proofs } from "./proofs.ts";
import type { Stranger } from "./stranger.ts";
import type { Workplace } from "./workplace.ts";

const NAME = "tape-robot";

/** `npm create`, and the commands that it says come next, typed where nothing else is. */
export async function proveCreate(
  proofs: Proofs,
  scope: string,
  { env }: Stranger,
  { dir, signal }: Workplace,
): Promise<void> {
  const home = join(dir, "create");
  await mkdir(home);
  await proofs.prove("npm create", async () => {
    const said = await run("npm", ["create", "--yes", `${scope}/csi-driver`, NAME], { cwd: home, env, signal });
    const next = said
      .split("\n")
      .filter((line) => line.startsWith("  "))
      .map((line) => line.trim());
    if (next[0] !== `cd ${NAME}` || next.length < 3) throw new Error(`it does not say what comes next: ${said}`);
    const options = { cwd: join(home, NAME), env, signal };
    let printed = "";
    for (const command of [...next.slice(1), "npm run typecheck"]) {
      printed += await run("sh", ["-c", command], options);
    }
    const passed = /Tests .*?(\d+) passed/.exec(printed)?.[1];
    if (passed === undefined) throw new Error(`its tests do not say that they pass: ${printed}`);
    return `${next.join(" && ")}: ${passed} tests pass, and it compiles`;
  });
}
