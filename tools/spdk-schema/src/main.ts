// Usage: node tools/spdk-schema/src/main.ts [--check] [SCHEMA.yaml]
// Writes what is generated in libs/spdk-rpc/src/gen and the list of methods in docs/reference; with --check fails
// unless it is there already. Without SPDK's schema at hand, what is made from the facts beside this tool alone.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { readFacts } from "./facts.ts";
import { methodsSource } from "./methods.ts";
import { type ReferenceInput, referencePage } from "./reference.ts";
import { releasesSource } from "./releases.ts";
import { readSchema } from "./schema.ts";
import { toTypeScript } from "./typescript.ts";

const { values, positionals } = parseArgs({ options: { check: { type: "boolean" } }, allowPositionals: true });
const [schemaPath] = positionals;
if (positionals.length > 1) {
  console.error("Usage: node tools/spdk-schema/src/main.ts [--check] [SCHEMA.yaml]");
  process.exit(2);
}

const ROOT = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");
const facts = (name: string): string => read(`tools/spdk-schema/facts/${name}.tsv`);
const methodFacts = readFacts(facts("descriptions"), facts("methods-by-version"));

/** Writes a file, or compares it. */
function produce(path: string, text: string): void {
  if (values.check !== true) {
    writeFileSync(new URL(path, ROOT), text);
  } else if (read(path) !== text) {
    console.error(`${fileURLToPath(new URL(path, ROOT))} differs from what its sources give: run this without --check`);
    process.exitCode = 1;
  }
}

produce("libs/spdk-rpc/src/gen/releases.ts", releasesSource(facts("methods-by-version"), facts("params-by-version")));
if (schemaPath !== undefined) {
  const schema = readSchema(readFileSync(schemaPath, "utf8"));
  produce("libs/spdk-rpc/src/gen/params.ts", toTypeScript(schema, methodFacts));
  produce("libs/spdk-rpc/src/gen/methods.ts", methodsSource(schema));
}

const generated: { readonly METHOD_PARAMS: ReferenceInput["methods"] } = await import(
  new URL("libs/spdk-rpc/src/gen/methods.ts", ROOT).href
);
const results = read("libs/spdk-rpc/src/results/spdk-method-results.ts");
const typedResults = new Set([...results.matchAll(/^ {2}(\w+): /gm)].map(([, name = ""]) => name));
produce(
  "docs/reference/spdk-methods.md",
  referencePage({ methods: generated.METHOD_PARAMS, facts: methodFacts, typedResults }),
);
