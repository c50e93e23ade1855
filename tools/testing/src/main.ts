// Runs every test of the workspace: vitest, csi-sanity against the driver and the example, and the shortest part of what a
// real kernel is asked to do. The last line counts them all.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const ci = process.env["CI"] === "true";
const dir = mkdtempSync(join(tmpdir(), "npm-test-"));
try {
  if (process.getuid?.() !== 0)
    process.stdout.write("Not root: tests that mount are skipped, and csi-sanity's node specs.\n");
  const parts = [
    vitest(),
    descriptor(),
    sanity("the driver on the emulator"),
    sanity("the example", "--driver", "examples/directory-driver"),
    virtualMachine(),
  ];
  const sum = (key: keyof Counts): number => parts.reduce((total, part) => total + part[key], 0);
  process.exitCode = sum("failed") === 0 ? 0 : 1;
  process.stdout.write(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function vitest(): Counts {
  const report = join(dir, "vitest.json");
  const { status } = spawnSync(
    "vitest",
    ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    {
      stdio: "inherit",
    },
  );
  const result: { numPassedTests: number; numFailedTests: number; numPendingTests: number; numTodoTests: number } =
    JSON.parse(readFileSync(report, "utf8"));
  const skipped = result.numPendingTests + result.numTodoTests;
  // A file that cannot even be loaded counts no failed test.
  const failed = status !== 0 && result.numFailedTests === 0 ? 1 : result.numFailedTests;
  if (ci && skipped > 0) process.stdout.write(`CI=true: ${skipped} skipped tests count as failed\n`);
  return { passed: result.numPassedTests, failed: failed + (ci ? skipped : 0), skipped: ci ? 0 : skipped };
}

/** Our csi.proto against the published one, which comes as a Go module. */
function descriptor(): Counts {
  if (spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0) {
    process.stdout.write("the comparison with the published csi.proto is left out: no Go toolchain is installed\n");
    return ci ? { passed: 0, failed: 1, skipped: 0 } : { passed: 0, failed: 0, skipped: 1 };
  }
  const { status } = spawnSync(process.execPath, ["tools/csi-proto/src/main.ts", "descriptor"], { stdio: "inherit" });
  return status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

function sanity(driver: string, ...args: readonly string[]): Counts {
  const { stdout, status } = spawnSync(process.execPath, ["tools/conformance/src/main.ts", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.stdout.write(`\ncsi-sanity 5.6.0 against ${driver}:\n${stdout}`);
  const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(stdout);
  if (counts === null) return { passed: 0, failed: 1, skipped: 0 };
  const [passed = 0, failed = 0, skipped = 0] = counts.slice(1).map(Number);
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed, skipped };
}

/** NVMe/TCP and iSCSI on a real kernel, in a virtual machine made of Debian's packages. */
function virtualMachine(): Counts {
  const debian = existsSync("/etc/debian_version") ? readFileSync("/etc/debian_version", "utf8") : "";
  if (process.getuid?.() !== 0 || !debian.startsWith("12")) {
    process.stdout.write("the smoke test on a real kernel is left out: its virtual machine needs root and Debian 12\n");
    return ci ? { passed: 0, failed: 1, skipped: 0 } : { passed: 0, failed: 0, skipped: 1 };
  }
  const { stdout, status } = spawnSync(process.execPath, ["tools/vm/src/main.ts", "smoke"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.stdout.write(`\nthe node's library on a real kernel:\n${stdout}`);
  const [passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/m.exec(stdout)?.slice(1).map(Number) ?? [];
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed, skipped: 0 };
}
