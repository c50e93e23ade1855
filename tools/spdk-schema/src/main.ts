// Usage: node tools/spdk-schema/src/main.ts [--check] SCHEMA.yaml
// Writes libs/spdk-rpc/src/gen/params.ts, or with --check fails unless it is what the schema gives.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { readSchema } from "./schema.ts";
import { toTypeScript } from "./typescript.ts";

const OUTPUT = fileURLToPath(new URL("../../../libs/spdk-rpc/src/gen/params.ts", import.meta.url));

const { values, positionals } = parseArgs({ options: { check: { type: "boolean" } }, allowPositionals: true });
const [schemaPath] = positionals;
if (schemaPath === undefined || positionals.length > 1) {
  console.error("Usage: node tools/spdk-schema/src/main.ts [--check] SCHEMA.yaml");
  process.exit(2);
}

const generated = toTypeScript(readSchema(readFileSync(schemaPath, "utf8")));
if (values.check !== true) {
  writeFileSync(OUTPUT, generated);
} else if (readFileSync(OUTPUT, "utf8") !== generated) {
  console.error("libs/spdk-rpc/src/gen/params.ts differs from what the schema gives: run this without --check");
  process.exit(1);
}
