// Runs csi-sanity against a driver. The last line counts its specs.
import { parseArgs } from "node:util";

import { commandOf, DEVELOPMENT_DRIVER, type DriverCommand, packageDriver } from "./driver-command.ts";
import { goIsInstalled, runSanity } from "./sanity.ts";

const USAGE = `Usage: node tools/conformance/src/main.ts [OPTION ...] [--driver FOLDER | -- COMMAND [ARG ...]]

  (no driver)        the driver csi.spdk.io on the emulator
  --driver FOLDER    a package whose "start" script serves what CSI_ENDPOINT says
  -- COMMAND ARG...  any command; "{endpoint}" in its arguments stands for the endpoint
  --controller-only  the driver has no node service
  --skip REGEX       specs to leave out

SANITY_LOG=1 shows what the driver and csi-sanity write.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    driver: { type: "string" },
    "controller-only": { type: "boolean", default: false },
    skip: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
const { driver, skip, "controller-only": controllerOnly } = values;
if (values.help || (driver !== undefined && positionals.length > 0)) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
if (!goIsInstalled()) {
  process.stdout.write(
    "csi-sanity is left out: no Go toolchain is installed (https://go.dev/dl)\n0 passed, 0 failed, 1 skipped\n",
  );
  process.exit(process.env["CI"] === "true" ? 1 : 0);
}
try {
  const { passed, failed, skipped } = await runSanity(chooseDriver(), { controllerOnly, skip });
  for (const { title, reason } of skipped) process.stdout.write(`skipped: ${title}: ${reason.split("\n")[0]}\n`);
  for (const { title, reason } of failed)
    process.stdout.write(`FAILED: ${title}\n  ${reason.replaceAll("\n", "\n  ")}\n`);
  process.stdout.write(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

function chooseDriver(): DriverCommand {
  if (driver !== undefined) return packageDriver(driver);
  return positionals.length > 0 ? commandOf(positionals) : DEVELOPMENT_DRIVER;
}
