import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type ChildOptions, run } from "./child.ts";
import type { Publishable } from "./publishable.ts";
import type { Stranger } from "./stranger.ts";
import type { Workplace } from "./workplace.ts";

/** A project with the packages installed, and how commands are run in it. */
export interface Project {
  readonly dir: string;
  /** The workspace, for what is shown to users but not published. */
  readonly root: string;
  readonly options: ChildOptions;
}

/** Where compiled programs are. */
export const OUT = "out";

/** What a user's tsconfig.json says: strict, the declarations of libraries checked, too. */
const TSCONFIG = {
  compilerOptions: {
    target: "es2022",
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    types: ["node"],
    outDir: OUT,
  },
  include: ["*.mts", "*.cts"],
};

/** Makes an empty project, installs the packages into it, and lays the same programs into it as ESM and CJS modules. */
export async function createProject(
  packages: readonly Publishable[],
  { env }: Stranger,
  { root, dir, signal }: Workplace,
): Promise<{ value: Project; proven: string }> {
  const project: Project = { dir: join(dir, "project"), root, options: { cwd: join(dir, "project"), env, signal } };
  await mkdir(project.dir);
  await writeFile(join(project.dir, "package.json"), JSON.stringify({ name: "stranger", private: true }));
  const names = packages.map(({ name }) => name);
  await run("npm", ["install", ...names, "@types/node@22"], project.options);

  await writeFile(join(project.dir, "tsconfig.json"), JSON.stringify(TSCONFIG, null, 2));
  for (const extension of ["mts", "cts"]) {
    await cp(join(root, "tools/registry/consumer/program.ts"), join(project.dir, `program.${extension}`));
    await writeFile(join(project.dir, `entries.${extension}`), importEverything(packages));
  }
  const lock: { packages: Record<string, { resolved?: string }> } = JSON.parse(
    await readFile(join(project.dir, "package-lock.json"), "utf8"),
  );
  const others = Object.keys(lock.packages).filter((path) => path !== "" && !names.some((name) => path.endsWith(name)));
  return { value: project, proven: `${names.length} packages in an empty project, ${others.length} others with them` };
}

/** A program that imports every entry point of the packages, and fails when one of them exports nothing. */
function importEverything(packages: readonly Publishable[]): string {
  const specifiers = packages.flatMap((each) => each.specifiers);
  return `${specifiers.map((specifier, index) => `import * as module${index} from "${specifier}";`).join("\n")}

const modules = { ${specifiers.map((specifier, index) => `"${specifier}": module${index}`).join(", ")} };
for (const [specifier, names] of Object.entries(modules)) {
  if (Object.keys(names).length === 0) throw new Error(specifier + " exports nothing");
}
console.log("${specifiers.length} entry points");
`;
}
