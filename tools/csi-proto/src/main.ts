import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { compareDescriptor } from "./compare-descriptor.ts";
import { compareOlder } from "./compare-older.ts";
import { generate, staleFiles } from "./generate.ts";
import { ROOT } from "./paths.ts";
import { committedPage, REFERENCE_PAGE, referencePage } from "./reference.ts";

const USAGE = `usage: node tools/csi-proto/src/main.ts COMMAND

  generate    writes libs/csi-framework/src/gen from libs/csi-framework/proto, and ${REFERENCE_PAGE}
  check       fails when generating would change a file
  descriptor  compares the proto with the published Go module (needs Go)
  older       checks that callers of every older release of CSI are understood (needs Go)
`;

async function main(command: string | undefined): Promise<number> {
  const bin = fileURLToPath(new URL("../../../node_modules/.bin", import.meta.url));
  process.env["PATH"] = `${bin}:${process.env["PATH"] ?? ""}`;
  if (command === "generate") {
    generate();
    writeFileSync(new URL(REFERENCE_PAGE, ROOT), await referencePage());
  } else if (command === "check") return check();
  else if (command === "descriptor") compareDescriptor();
  else if (command === "older") compareOlder();
  else {
    process.stderr.write(USAGE);
    return 2;
  }
  return 0;
}

async function check(): Promise<number> {
  const stale = staleFiles().map((file) => `libs/csi-framework/src/gen/${file}`);
  if (committedPage() !== (await referencePage())) stale.push(REFERENCE_PAGE);
  for (const file of stale) process.stderr.write(`${file} is out of date\n`);
  if (stale.length > 0) process.stderr.write("run: node tools/csi-proto/src/main.ts generate\n");
  return stale.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
