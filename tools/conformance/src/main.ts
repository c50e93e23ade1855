import { goIsInstalled, runSanity } from "./sanity.ts";

if (!goIsInstalled()) {
  process.stdout.write(
    "csi-sanity is left out: no Go toolchain is installed (https://go.dev/dl)\n0 passed, 0 failed, 1 skipped\n",
  );
  process.exit(process.env["CI"] === "true" ? 1 : 0);
}
const { passed, failed, skipped } = await runSanity();
for (const { title, reason } of skipped) process.stdout.write(`skipped: ${title}: ${reason.split("\n")[0]}\n`);
for (const { title, reason } of failed)
  process.stdout.write(`FAILED: ${title}\n  ${reason.replaceAll("\n", "\n  ")}\n`);
process.stdout.write(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
