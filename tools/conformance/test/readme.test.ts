import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { commandOf } from "../src/driver-command.ts";
import { goIsInstalled, runSanity } from "../src/sanity.ts";

const WORKSPACE = join(import.meta.dirname, "..", "..", "..");
const README = join(WORKSPACE, "libs", "csi-framework", "README.md");

/** The blocks of TypeScript in a Markdown text, in their order. */
function blocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = ""]) => block);
}

describe("csi-framework's README", () => {
  let dir: string;
  let all: string[];
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "readme-"));
    await symlink(join(WORKSPACE, "node_modules"), join(dir, "node_modules"));
    await writeFile(join(dir, "package.json"), JSON.stringify({ type: "module" }));
    all = blocks(await readFile(README, "utf8"));
    await Promise.all(all.map((block, index) => writeFile(join(dir, `block${index}.ts`), block)));
  });
  afterAll(() => rm(dir, { recursive: true }));

  it("begins with a driver of at most 20 lines", () => {
    expect(all[0]?.split("\n").length).toBeLessThanOrEqual(21);
  });

  it("has blocks that compile, strictly, and run on Node.js 22", async () => {
    const compilerOptions = { declaration: false, isolatedDeclarations: false };
    const config = { extends: join(WORKSPACE, "tsconfig.base.json"), compilerOptions, include: ["block*.ts"] };
    await writeFile(join(dir, "tsconfig.json"), JSON.stringify(config));
    const { stdout } = await promisify(execFile)("tsc", ["-p", dir]).catch((error) => error);
    expect(stdout).toBe("");
    expect(all.join()).not.toMatch(/\busing\b/);
  });

  it.skipIf(!goIsInstalled())(
    "begins with a driver that csi-sanity finds no fault with",
    { timeout: 120_000 },
    async () => {
      const command = commandOf([process.execPath, join(dir, "block0.ts")]);
      const { passed, failed } = await runSanity(command, { controllerOnly: true });
      expect(failed).toEqual([]);
      expect(passed).toBeGreaterThanOrEqual(18);
    },
  );

  it("has a test that passes", () => {
    const test = all.findIndex((block) => block.includes('from "node:test"'));
    const args = ["--conditions=@org/source", "--test", join(dir, `block${test}.ts`)];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(stdout).toMatch(/pass [1-9]/);
    expect(status).toBe(0);
  });
});
