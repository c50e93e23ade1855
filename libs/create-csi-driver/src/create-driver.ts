import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { checkDriverName, toClassName } from "./driver-name.ts";

/** What has been written. */
export interface CreatedDriver {
  readonly name: string;
  /** The absolute path of its folder. */
  readonly dir: string;
  /** Paths of the files in it, sorted. */
  readonly files: readonly string[];
}

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const TEMPLATE = join(PACKAGE, "template");

/** Files that would mean something where they are: npm leaves a .gitignore out of a package, tools obey a tsconfig.json. */
const FINAL_NAMES: Readonly<Record<string, string>> = {
  _gitignore: ".gitignore",
  _dockerignore: ".dockerignore",
  "_tsconfig.json": "tsconfig.json",
};

/**
 * Writes a package with a CSI driver into `folder`, which is made unless it is there and empty; its last part is the
 * driver's name. The driver depends on csi-framework and node-mounter of this package's own version.
 *
 * @throws TypeError for a name that cannot be one, Error for a folder that holds something
 */
export function createDriver(folder: string): CreatedDriver {
  const dir = resolve(folder);
  const name = basename(dir);
  checkDriverName(name);
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new Error(`${dir} is not empty: choose another name, or empty it`);
  }
  const files = templateFiles().map((file) => {
    const path = FINAL_NAMES[file] ?? file;
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), fill(readFileSync(join(TEMPLATE, file), "utf8"), name));
    return path;
  });
  return { name, dir, files: files.sort() };
}

function templateFiles(): string[] {
  return globSync("**/*", { cwd: TEMPLATE, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(TEMPLATE.length + 1));
}

/** The template is a driver called my-driver, which works as it is. */
function fill(text: string, name: string): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));
  return text
    .replaceAll("my-driver", name)
    .replaceAll("MyDriver", toClassName(name))
    .replaceAll("0.0.0-own", `^${version}`);
}
