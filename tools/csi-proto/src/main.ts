import { fileURLToPath } from "node:url";

import { compareDescriptor } from "./compare-descriptor.ts";
import { generate, staleFiles } from "./generate.ts";

const USAGE = `usage: node tools/csi-proto/src/main.ts COMMAND

  generate    writes libs/csi-framework/src/gen from libs/csi-framework/proto
  check       fails when generating would change a file
  descriptor  compares the proto with the published Go module (needs Go)
`;

function main(command: string | undefined): number {
  const bin = fileURLToPath(new URL("../../../node_modules/.bin", import.meta.url));
  process.env["PATH"] = `${bin}:${process.env["PATH"] ?? ""}`;
  if (command === "generate") generate();
  else if (command === "check") return check();
  else if (command === "descriptor") compareDescriptor();
  else {
    process.stderr.write(USAGE);
    return 2;
  }
  return 0;
}

function check(): number {
  const stale = staleFiles();
  for (const file of stale) process.stderr.write(`libs/csi-framework/src/gen/${file} is out of date\n`);
  if (stale.length > 0) process.stderr.write("run: node tools/csi-proto/src/main.ts generate\n");
  return stale.length > 0 ? 1 : 0;
}

try {
  process.exitCode = main(process.argv[2]);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
