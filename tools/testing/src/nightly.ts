// What takes too long for `npm test`: long fuzzing, mutants, the packages as users install them, benchmarks. At most 90 minutes.
// Usage: node tools/testing/src/nightly.ts [NAME ...]
import { spawnSync } from "node:child_process";

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

const benchmark = (name: string): Step => ({
  name: `benchmark-${name}`,
  command: [process.execPath, "--conditions=@org/source", `tools/benchmarks/src/${name}.ts`],
});

/** The driver's tests on the emulated target of one version. */
const onVersion = (version: string): Step => ({
  name: `driver-${version}`,
  command: [
    "vitest",
    "run",
    ...["volumes", "publishing", "snapshots", "upstream", "unavailable-target", "clearing"].map(driverTest),
  ],
  env: { SPDK_VERSION: version },
});

function driverTest(name: string): string {
  return `apps/spdk-csi/test/${name}.test.ts`;
}

const STEPS: readonly Step[] = [
  {
    name: "fuzz",
    command: ["vitest", "run", "test/fuzz.test.ts", "test/nvme-tcp/hostile.test.ts"],
    env: { FUZZ_RUNS: "10000" },
  },
  {
    name: "fault-matrix",
    command: ["vitest", "run", "apps/spdk-csi/test/fault-matrix.test.ts"],
    env: { FAULT_MATRIX_VERSIONS: "22.05,23.01,24.01,24.05,25.01,26.05" },
  },
  ...["22.05", "22.09", "23.01", "23.05", "24.01", "24.05", "25.01", "25.05", "26.05"].map(onVersion),
  { name: "sanity-versions", command: [process.execPath, "tools/conformance/src/versions.ts"] },
  { name: "mutants", command: [process.execPath, "libs/csi-framework/test/mutate-tables.ts"] },
  { name: "older-csi", command: [process.execPath, "tools/csi-proto/src/main.ts", "older"] },
  { name: "registry", command: [process.execPath, "tools/registry/src/main.ts"] },
  { name: "vm-emulator", command: [process.execPath, "tools/vm/src/main.ts", "emulator"] },
  { name: "vm-mounter", command: [process.execPath, "tools/vm/src/main.ts", "mounter"] },
  { name: "vm-driver", command: [process.execPath, "tools/vm/src/main.ts", "driver"] },
  { name: "kubernetes", command: [process.execPath, "tools/kubernetes/src/e2e/main.ts"] },
  {
    name: "kubernetes-vm",
    command: [process.execPath, "tools/kubernetes/src/e2e/main.ts", "--node", "virtual-machine"],
  },
  { name: "kubernetes-storage", command: [process.execPath, "tools/kubernetes/src/storage-suite/main.ts"] },
  benchmark("calls"),
  benchmark("polling"),
  benchmark("lookup"),
  benchmark("parsing"),
  benchmark("proxy"),
  benchmark("framework"),
  benchmark("volumes"),
  benchmark("stopped-target"),
  { name: "build", command: ["nx", "run", "@org/spdk-csi:build"] },
  benchmark("startup"),
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !STEPS.some((step) => step.name === name));
if (unknown.length > 0) {
  process.stderr.write(`no step ${unknown.join(", ")}: there are ${STEPS.map(({ name }) => name).join(", ")}\n`);
  process.exit(2);
}

let passed = 0;
const failed: string[] = [];
for (const { name, command, env } of STEPS.filter((step) => wanted.length === 0 || wanted.includes(step.name))) {
  const [program, ...args] = command;
  process.stdout.write(`\n== ${name}\n`);
  const start = performance.now();
  const { status } = spawnSync(program, args, { stdio: "inherit", env: { ...process.env, ...env } });
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  process.stdout.write(`== ${name}: ${status === 0 ? "passed" : "FAILED"} in ${seconds} s\n`);
  if (status === 0) passed += 1;
  else failed.push(name);
}
process.stdout.write(
  `\n${failed.length > 0 ? `failed: ${failed.join(", ")}\n` : ""}${passed} passed, ${failed.length} failed\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
