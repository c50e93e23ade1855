import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";

/** A package of the workspace: its folder and the names it may import from the workspace. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "libs/spdk-rpc": [],
  "libs/csi-framework": [],
  "libs/node-mounter": [],
  "libs/spdk-emulator": [],
  "libs/create-csi-driver": [],
  "examples/directory-driver": ["@org/csi-framework", "@org/node-mounter"],
  "apps/spdk-csi": ["@org/spdk-rpc", "@org/csi-framework", "@org/node-mounter", "@org/spdk-emulator"],
};

/** Measure parts that are no package's API. */
const REACHES_INSIDE: ReadonlySet<string> = new Set(["tools/benchmarks"]);

/** Types alone may be imported from these. */
const TYPES_ALLOWED: Readonly<Record<string, readonly string[]>> = { "libs/spdk-emulator": ["@org/spdk-rpc"] };

const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?[^;]*?from\s+["']([^"']+)["']|^\s*import\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

/** Every rule that the sources under `root` break, one line each. */
export function findViolations(root: string): string[] {
  const violations: string[] = [];
  for (const own of packages(root)) {
    for (const file of sources(join(root, own))) {
      for (const { specifier, typeOnly } of imports(readFileSync(file, "utf8"))) {
        const why = broken(root, own, file, specifier, typeOnly);
        if (why !== undefined) violations.push(`${relative(root, file)}: imports "${specifier}": ${why}`);
      }
    }
  }
  return violations;
}

function broken(root: string, own: string, file: string, specifier: string, typeOnly: boolean): string | undefined {
  if (specifier.startsWith(".")) {
    const reached = relative(root, resolve(dirname(file), specifier))
      .split(sep)
      .join("/");
    return reached.startsWith(`${own}/`) || REACHES_INSIDE.has(own)
      ? undefined
      : "reaches into another package's files";
  }
  if (!specifier.startsWith("@org/")) return undefined;
  const [scope, name, ...rest] = specifier.split("/");
  const imported = `${scope}/${name}`;
  if (rest[0] === "src") return "reaches into another package's src";
  if (imported === `@org/${own.split("/").at(-1)}`) return "imports its own package by name";
  if (imported === "@org/spdk-csi") return "nothing imports an app";
  if (own === "docs" || own.startsWith("tools/")) return undefined;
  if (typeOnly && TYPES_ALLOWED[own]?.includes(imported)) return undefined;
  if (ALLOWED[own]?.includes(imported)) return undefined;
  return "libraries never import each other";
}

function imports(text: string): { specifier: string; typeOnly: boolean }[] {
  return [...text.matchAll(IMPORT)].map(([, type, from, bare, dynamic]) => ({
    specifier: from ?? bare ?? dynamic ?? "",
    typeOnly: type !== undefined,
  }));
}

/** The folders of all packages, the documentation's included. */
function packages(root: string): string[] {
  const groups = ["libs", "apps", "examples", "tools"].filter((group) => existsSync(join(root, group)));
  const grouped = groups.flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${group}/${entry.name}`),
  );
  return existsSync(join(root, "docs")) ? [...grouped, "docs"] : grouped;
}

/** A template is what a package writes, not what it is made of. */
const NOT_OURS: readonly string[] = ["node_modules", "dist", "gen", "template"];

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.includes(entry.name) ? [] : sources(path);
    return /\.[cm]?[jt]s$/.test(entry.name) ? [path] : [];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const violations = findViolations(process.cwd());
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  process.stdout.write(`boundaries: ${violations.length} violations\n`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
