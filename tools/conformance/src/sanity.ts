import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How a run of csi-sanity ended. */
export interface SanityResult {
  readonly passed: number;
  readonly failed: readonly { readonly title: string; readonly reason: string }[];
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
}

const MODULE = join(import.meta.dirname, "..");
const WORKSPACE = join(MODULE, "..", "..");
const COMMAND = "github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity";
const GIB = 1024 ** 3;

/** Whether the machine has the Go toolchain that builds csi-sanity. */
export function goIsInstalled(): boolean {
  return spawnSync("go", ["version"], { stdio: "ignore" }).status === 0;
}

/** Builds csi-sanity at its pinned version and runs it against the development driver. */
export async function runSanity(): Promise<SanityResult> {
  const dir = mkdtempSync(join(tmpdir(), "csi-sanity-"));
  const binary = join(dir, "csi-sanity");
  build(binary);
  const socket = join(dir, "csi.sock");
  const driver = await startDriver(socket);
  try {
    return await run(binary, dir, socket);
  } finally {
    await stop(driver);
    rmSync(dir, { recursive: true, force: true });
  }
}

function build(binary: string): void {
  const env = { ...process.env, GOFLAGS: "-modcacherw" };
  const { status } = spawnSync("go", ["build", "-o", binary, COMMAND], { cwd: MODULE, env, stdio: "inherit" });
  if (status !== 0) throw new Error("csi-sanity could not be built: see above");
}

async function startDriver(socket: string): Promise<ChildProcess> {
  const script = join(WORKSPACE, "apps", "spdk-csi", "dev", "dev.ts");
  const args = ["--conditions=@org/source", script, "--endpoint", `unix://${socket}`];
  const driver = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", process.env["SANITY_LOG"] ? "inherit" : "ignore"],
  });
  const deadline = Date.now() + 30_000;
  while (!existsSync(socket)) {
    if (driver.exitCode !== null || Date.now() > deadline) {
      driver.kill("SIGKILL");
      throw new Error(`the driver did not serve ${socket}: start it by hand with npm run dev to see why`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return driver;
}

async function stop(driver: ChildProcess): Promise<void> {
  if (driver.exitCode !== null) return;
  const exited = new Promise((resolve) => driver.once("exit", resolve));
  driver.kill("SIGTERM");
  await exited;
  if (driver.exitCode !== 0)
    throw new Error(`the driver ended with ${driver.exitCode ?? driver.signalCode} on SIGTERM`);
}

async function run(binary: string, dir: string, socket: string): Promise<SanityResult> {
  const report = join(dir, "report.json");
  const root = process.getuid?.() === 0;
  const args = [
    `-csi.endpoint=unix://${socket}`,
    `-csi.mountdir=${join(dir, "mount")}`,
    `-csi.stagingdir=${join(dir, "staging")}`,
    `-csi.testvolumesize=${GIB}`,
    `-csi.testvolumeexpandsize=${2 * GIB}`,
    "-csi.testnodevolumeattachlimit",
    `-ginkgo.json-report=${report}`,
    "-ginkgo.no-color",
    ...(root ? [] : ["-ginkgo.skip=Node Service|NodeGet|NodeStage"]),
  ];
  const sanity = spawn(binary, args, {
    stdio: process.env["SANITY_LOG"] ? "inherit" : "ignore",
  });
  const code = await new Promise<number | null>((resolve) => sanity.once("exit", resolve));
  if (!existsSync(report)) throw new Error(`csi-sanity ended with ${code} and left no report`);
  const result = readReport(readFileSync(report, "utf8"));
  if (code !== 0 && result.failed.length === 0)
    throw new Error(`csi-sanity ended with ${code}, but reports no failure`);
  return result;
}

interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeText: string;
  readonly LeafNodeType: string;
  readonly State: string;
  readonly Failure?: { readonly Message: string };
}

/** Reads Ginkgo's JSON report. */
export function readReport(text: string): SanityResult {
  const suites: readonly { readonly SpecReports: readonly SpecReport[] }[] = JSON.parse(text);
  const specs = suites.flatMap((suite) => suite.SpecReports).filter((spec) => spec.LeafNodeType === "It");
  const named = (state: (state: string) => boolean) =>
    specs
      .filter((spec) => state(spec.State))
      .map((spec) => ({
        title: [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(" "),
        reason: spec.Failure?.Message ?? spec.State,
      }));
  return {
    passed: specs.filter((spec) => spec.State === "passed").length,
    failed: named((state) => state !== "passed" && state !== "skipped" && state !== "pending"),
    skipped: named((state) => state === "skipped" || state === "pending"),
  };
}
