// Runs csi-sanity against the driver on emulated targets of several versions of SPDK, over their socket and over an HTTP
// proxy. A call sequence that a real target does not survive fails the run, too.
// Usage: node tools/conformance/src/versions.ts [VERSION ...]
import { DEVELOPMENT_DRIVER } from "./driver-command.ts";
import { goIsInstalled, runSanity } from "./sanity.ts";

const VERSIONS = ["22.05", "23.01", "24.01", "24.05", "25.01", "26.05", "26.09"];

if (!goIsInstalled()) {
  process.stderr.write("csi-sanity needs a Go toolchain: https://go.dev/dl\n");
  process.exit(1);
}
const wanted = process.argv.slice(2);
let failures = 0;
for (const version of wanted.length > 0 ? wanted : VERSIONS) {
  for (const flags of [[], ["--http"]]) {
    const [program, ...args] = DEVELOPMENT_DRIVER.argv;
    const argv = [program, ...args, "--spdk-version", version, ...flags] as const;
    const where = `SPDK ${version} over ${flags.length === 0 ? "its socket" : "HTTP"}`;
    const { passed, failed, skipped } = await runSanity({ ...DEVELOPMENT_DRIVER, argv });
    for (const { title, reason } of failed) process.stdout.write(`FAILED on ${where}: ${title}\n  ${reason}\n`);
    process.stdout.write(`${where}: ${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`);
    failures += failed.length;
  }
}
process.exitCode = failures === 0 ? 0 : 1;
