import { globSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";

import { run } from "./child.ts";
import { type FirstScreen, typeFirstScreen } from "./first-screen.ts";
import { OUT, type Project } from "./fresh-project.ts";
import type { Tool } from "./kit.ts";
import type { Proofs } from "./proofs.ts";
import { callReadmeDriver } from "./readme-driver.ts";

/** What one Node.js makes of the packages. */
export async function proveOn(
  proofs: Proofs,
  node: Tool,
  project: Project,
  firstScreen: FirstScreen | undefined,
): Promise<void> {
  const prove = (what: string, work: () => Promise<string>) => proofs.prove(`${what}, Node ${node.version}`, work);
  const runNode = async (...args: string[]): Promise<string> =>
    (await run(node.path, args, { ...project.options, timeoutMs: 60_000 })).trim();

  for (const [title, extension] of [
    ["import", "mjs"],
    ["require", "cjs"],
  ] as const) {
    await prove(title, async () => {
      const entries = await runNode(join(OUT, `entries.${extension}`));
      const program = await runNode(join(OUT, `program.${extension}`));
      return `${entries}; ${program.replaceAll("\n", "; ")}`;
    });
  }
  if (firstScreen !== undefined) {
    await prove("README", async () => `the program prints: ${await typeFirstScreen(firstScreen, node, project)}`);
  }
  await prove("README driver", () => callReadmeDriver(node, project));
  await prove("docs", async () => {
    await cp(join(project.root, "docs/snippets"), join(project.dir, "snippets"), { recursive: true });
    const tests = globSync("snippets/*.test.ts", { cwd: project.dir });
    const passed = /^# pass (\d+)$/m.exec(await runNode("--test", "--test-reporter=tap", ...tests))?.[1];
    if (passed === undefined || passed === "0") throw new Error("no test ran");
    return `the ${passed} tests that the documentation shows`;
  });
}
