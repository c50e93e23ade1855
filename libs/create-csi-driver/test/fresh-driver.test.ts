import { type ExecFileException, execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const WORKSPACE = join(import.meta.dirname, "..", "..", "..");
const CLI = join(import.meta.dirname, "..", "src", "cli.ts");

/** Runs a command to its end, whatever that is; what it imports from the workspace is the source. */
function run(command: string, args: readonly string[], cwd: string): Promise<{ code: unknown; output: string }> {
  const env = { ...process.env, NODE_OPTIONS: "--conditions=@org/source" };
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env }, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, output: stdout + stderr });
    });
  });
}

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "create-csi-driver-"));
  await symlink(join(WORKSPACE, "node_modules"), join(dir, "node_modules"));
});
afterAll(() => rm(dir, { recursive: true }));

const create = (...args: string[]) => run(process.execPath, [CLI, ...args], dir);

describe("create-csi-driver", () => {
  it("asks nothing when it is given a name, and says what comes next", async () => {
    const { code, output } = await create("first");
    expect(output).toContain("cd first\n  npm install\n  npm test\n");
    expect(code).toBe(0);
  });

  it("leaves alone what is in a folder", async () => {
    await mkdir(join(dir, "taken"));
    await writeFile(join(dir, "taken", "file"), "mine");
    const { code, output } = await create("taken");
    expect(output).toMatch(/^create-csi-driver: \S+\/taken is not empty: choose another name, or empty it\n$/);
    expect(code).toBe(1);
    expect(await readdir(join(dir, "taken"))).toEqual(["file"]);
  });

  it("takes an empty folder", async () => {
    await mkdir(join(dir, "empty"));
    expect(await create("empty")).toMatchObject({ code: 0 });
  });

  it.each([
    [["Bad Name"], "is no name"],
    [[], "one name is needed"],
    [["a", "b"], "one name is needed"],
    [["--x"], "'--x'"],
  ])("refuses %j", async (args, message) => {
    const { code, output } = await create(...args);
    expect(output).toContain(message);
    expect(code).toBe(2);
  });
});

describe("a fresh driver", () => {
  let fresh: string;
  beforeAll(async () => {
    fresh = join(dir, "tape-robot");
    expect(await create("tape-robot")).toMatchObject({ code: 0 });
  });

  it("has its name everywhere, and depends on the libraries of the same version", async () => {
    const files = await readdir(fresh, { recursive: true, withFileTypes: true });
    const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
    const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
    expect(texts.join("\n")).not.toMatch(/my-?driver|0\.0\.0/i);
    expect(await readFile(join(fresh, "src", "driver.ts"), "utf8")).toContain("class TapeRobot extends CsiDriver");
    expect(await readdir(fresh)).toContain(".gitignore");
    const own = JSON.parse(await readFile(join(import.meta.dirname, "..", "package.json"), "utf8"));
    const { name, dependencies } = JSON.parse(await readFile(join(fresh, "package.json"), "utf8"));
    expect(name).toBe("tape-robot");
    expect(new Set(Object.values(dependencies))).toEqual(new Set([`^${own.version}`]));
  });

  it("compiles", { timeout: 60_000 }, async () => {
    expect(await run("tsc", ["--customConditions", "@org/source"], fresh)).toEqual({ code: 0, output: "" });
  });

  it("passes its own tests", { timeout: 60_000 }, async () => {
    // Here the libraries are not built, so that vitest has to be told where their sources are.
    const config = join(dir, "vitest.config.mjs");
    const conditions = { resolve: { conditions: ["@org/source"] } };
    await writeFile(config, `export default ${JSON.stringify({ ...conditions, ssr: conditions })};`);
    const { code, output } = await run("vitest", ["run", "--root", fresh, "--config", config], fresh);
    expect(output).toMatch(/Tests .*\d{2,} passed/);
    expect(code, output).toBe(0);
  });

  it("finds favour with csi-sanity", { timeout: 120_000 }, async () => {
    const main = join(WORKSPACE, "tools", "conformance", "src", "main.ts");
    const { code, output } = await run(process.execPath, [main, "--driver", fresh], WORKSPACE);
    expect(output).toMatch(/^\d+ passed, 0 failed, \d+ skipped$/m);
    expect(code, output).toBe(0);
  });
});
