import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** A module of a library that can be imported. */
export interface LibraryEntry {
  /** What stands in an import, such as `@org/node-mounter/testing`. */
  readonly specifier: string;
  readonly description: string;
  readonly file: string;
}

interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
}

/** Every module that the libraries export, and the source that it comes from. */
export function libraryEntries(libraries: string): LibraryEntry[] {
  return globSync("*/package.json", { cwd: libraries })
    .sort()
    .flatMap((path) => {
      const manifest: Manifest = JSON.parse(readFileSync(join(libraries, path), "utf8"));
      return Object.entries(manifest.exports).flatMap(([subpath, conditions]) => {
        const source = typeof conditions === "string" ? undefined : conditions["@org/source"];
        if (typeof source !== "string") return [];
        return {
          specifier: manifest.name + subpath.slice(1),
          description: subpath === "." ? manifest.description : `The part of ${manifest.name} behind ${subpath}.`,
          file: resolve(libraries, path, "..", source),
        };
      });
    });
}
