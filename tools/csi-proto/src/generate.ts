import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readCsiFile } from "./descriptor-set.ts";
import { fieldsSource } from "./fields-source.ts";
import { GEN_DIR, PROTO_DIR, TOOL_DIR } from "./paths.ts";
import { rpcsSource } from "./rpcs-source.ts";
import { run } from "./run.ts";

/** Replaces what is generated from the proto. */
export function generate(): void {
  withTempDir((dir) => {
    const fresh = generateInto(dir);
    rmSync(GEN_DIR, { recursive: true, force: true });
    cpSync(fresh, GEN_DIR, { recursive: true });
  });
}

/** Generates aside and returns the files that differ from the committed ones. */
export function staleFiles(): string[] {
  return withTempDir((dir) => {
    const fresh = readTree(generateInto(dir));
    const committed = readTree(GEN_DIR);
    const files = new Set([...fresh.keys(), ...committed.keys()]);
    return [...files].filter((file) => fresh.get(file) !== committed.get(file)).sort();
  });
}

/** Calls `use` with a directory that is gone afterwards. */
export function withTempDir<T>(use: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "csi-proto-"));
  try {
    return use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function generateInto(dir: string): string {
  const out = join(dir, "gen");
  const template = join(TOOL_DIR, "buf.gen.yaml");
  run("buf", ["generate", PROTO_DIR, "--template", template, "--include-imports", "-o", out], { cwd: TOOL_DIR });
  // Only the custom options refer to it, and no stub needs those.
  rmSync(join(out, "google/protobuf/descriptor.ts"), { force: true });
  const file = readCsiFile(dir);
  writeFileSync(join(out, "rpcs.ts"), rpcsSource(file));
  writeFileSync(join(out, "fields.ts"), fieldsSource(file));
  return out;
}

function readTree(dir: string): Map<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(dir.length + 1), readFileSync(path, "utf8")]));
}
