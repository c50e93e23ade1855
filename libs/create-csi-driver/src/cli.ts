import { relative } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";

import { createDriver } from "./create-driver.ts";

const USAGE = `Usage: npm create @org/csi-driver NAME

  NAME   the driver's name and its new folder: lower-case letters, digits and dashes

Writes a package with a working CSI driver, its tests and its image.
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const [folder = await ask(), ...others] = positionals;
  if (folder === "" || others.length > 0) throw new TypeError(`one name is needed\n\n${USAGE}`);
  const { name, dir, files } = createDriver(folder);
  process.stdout.write(`${name}: ${files.length} files. Next:

  cd ${relative(process.cwd(), dir) || "."}
  npm install
  npm test
`);
}

/** A name is asked for only where somebody can answer. */
async function ask(): Promise<string> {
  if (!process.stdin.isTTY) return "";
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question("Name of the driver: ");
  terminal.close();
  return answer.trim();
}

main().catch((error: unknown) => {
  process.stderr.write(`create-csi-driver: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
});
