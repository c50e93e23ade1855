import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A package of the workspace that strangers can install. */
export interface Publishable {
  readonly name: string;
  readonly version: string;
  readonly dir: string;
  /** What can be imported from it: its name, and its name with a subpath. */
  readonly specifiers: readonly string[];
}

/** The workspace's packages that are not private. */
export function findPublishable(root: string): Publishable[] {
  return globSync("{libs,apps}/*/package.json", { cwd: root })
    .sort()
    .map((path) => ({ dir: join(root, path, ".."), manifest: readManifest(join(root, path)) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ dir, manifest }) => ({ dir, ...manifest, specifiers: specifiersOf(manifest) }));
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

function specifiersOf({ name, exports = {} }: Manifest): string[] {
  return Object.entries(exports)
    .filter(([, conditions]) => typeof conditions === "object")
    .map(([subpath]) => name + subpath.slice(1));
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8"));
}
