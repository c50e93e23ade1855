// Usage: node tools/spdk-schema/src/main.ts [--check] [SCHEMA.yaml]
// Writes what is generated in libs/spdk-rpc/src/gen; with --check fails unless it is there already. Without SPDK's
// schema at hand, what is made from the facts beside this tool alone.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { methodsSource } from "./methods.ts";
import { releasesSource } from "./releases.ts";
import { readSchema } from "./schema.ts";
import { toTypeScript } from "./typescript.ts";

const GENERATED = new URL("../../../libs/spdk-rpc/src/gen/", import.meta.url);
const FACTS = new URL("../facts/", import.meta.url);

const { values, positionals } = parseArgs({ options: { check: { type: "boolean" } }, allowPositionals: true });
const [schemaPath] = positionals;
if (positionals.length > 1) {
  console.error("Usage: node tools/spdk-schema/src/main.ts [--check] [SCHEMA.yaml]");
  process.exit(2);
}

const read = (url: URL): string => readFileSync(url, "utf8");
const sources: Record<string, string> = {
  "releases.ts": releasesSource(
    read(new URL("methods-by-version.tsv", FACTS)),
    read(new URL("params-by-version.tsv", FACTS)),
  ),
};
if (schemaPath !== undefined) {
  const schema = readSchema(readFileSync(schemaPath, "utf8"));
  sources["params.ts"] = toTypeScript(schema);
  sources["methods.ts"] = methodsSource(schema);
}
for (const [name, source] of Object.entries(sources)) {
  const url = new URL(name, GENERATED);
  if (values.check !== true) {
    writeFileSync(url, source);
  } else if (read(url) !== source) {
    console.error(`${fileURLToPath(url)} differs from what its sources give: run this without --check`);
    process.exitCode = 1;
  }
}
