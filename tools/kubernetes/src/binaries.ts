import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { CACHE, TOOL } from "./places.ts";
import type { Report } from "./report.ts";

/** Names that a package's folder does not give. */
const RENAMED: ReadonlyMap<string, string> = new Map([["server", "etcd"]]);

const KUBERNETES = "k8s.io/kubernetes";
const SNAPSHOTTER = "github.com/kubernetes-csi/external-snapshotter";

/** What `go build` is told, beside where to put what it builds. */
function buildFlags(version: string): string[] {
  const [major = "", minor = ""] = version.slice(1).split(".");
  const set = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`;
  const variables = [set("gitVersion", version), set("gitMajor", major), set("gitMinor", minor)];
  // btrfs' snapshotter of containerd takes a C compiler.
  return ["-trimpath", "-tags", "no_btrfs", "-ldflags", `-s -w ${variables.join(" ")}`];
}

/** The version of a module that go.mod names. */
export function moduleVersion(module: string): string {
  const lines = goFile("go.mod")
    .split("\n")
    .map((line) => line.trim().split(" "));
  const version = lines.find(([name, version]) => name === module && version?.startsWith("v"))?.[1];
  if (version === undefined) throw new Error(`tools/kubernetes/go.mod names no ${module}`);
  return version;
}

/** Where the source of a module lies. */
function moduleFolder(module: string): string {
  const format = ["list", "-m", "-f", "{{.Dir}}", module];
  return execFileSync("go", format, { cwd: TOOL, encoding: "utf8", env: goEnv() }).trim();
}

/** Where the `tool`s of go.mod are when they have been built, by what they are built of. */
function binariesFolder(flags: readonly string[]): string {
  const key = createHash("sha256").update(goFile("go.mod")).update(goFile("go.sum")).update(flags.join("\n"));
  return join(CACHE, `binaries-${key.digest("hex").slice(0, 16)}`);
}

/** Whether a cluster can start without anything being built. */
export function areBinariesBuilt(): boolean {
  return existsSync(binariesFolder(buildFlags(moduleVersion(KUBERNETES))));
}

/** Builds all `tool`s of go.mod, unless that has been done; gives the folder that holds them. */
export async function buildBinaries(report: Report): Promise<string> {
  const flags = buildFlags(moduleVersion(KUBERNETES));
  const binaries = binariesFolder(flags);
  if (existsSync(binaries)) return binaries;
  const building = join(CACHE, "building");
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true });
  report("downloading Kubernetes' source: 250 MB, once");
  const packages = execFileSync("go", ["list", "-deps", "tool"], { cwd: TOOL, encoding: "utf8", env: goEnv() });
  await compile([...flags, "-o", `${building}/`, "tool"], packages.trim().split("\n").length, report);
  for (const [from, to] of RENAMED) await rename(join(building, from), join(building, to));
  await copySnapshotManifests(join(building, "snapshots"));
  for (const old of await readdir(CACHE)) {
    if (old.startsWith("binaries-")) await rm(join(CACHE, old), { recursive: true });
  }
  await rename(building, binaries);
  return binaries;
}

/** The CRDs of snapshots, and their controller with the version that is built here. */
async function copySnapshotManifests(folder: string): Promise<void> {
  const crds = join(moduleFolder(`${SNAPSHOTTER}/client/v8`), "config/crd");
  const controller = join(moduleFolder(`${SNAPSHOTTER}/v8`), "deploy/kubernetes/snapshot-controller");
  await mkdir(folder);
  for (const kind of ["volumesnapshotclasses", "volumesnapshotcontents", "volumesnapshots"]) {
    await cp(join(crds, `snapshot.storage.k8s.io_${kind}.yaml`), join(folder, `crd-${kind}.yaml`));
  }
  const version = moduleVersion(`${SNAPSHOTTER}/v8`);
  for (const name of ["rbac-snapshot-controller.yaml", "setup-snapshot-controller.yaml"]) {
    const manifest = await readFile(join(controller, name), "utf8");
    const changed = manifest
      .replace(/(snapshot-controller:)v\S+/, `$1${version}`)
      .replace(/replicas: \d+/, "replicas: 1");
    await writeFile(join(folder, name), changed);
  }
}

async function compile(args: readonly string[], packages: number, report: Report): Promise<void> {
  const go = spawn("go", ["build", "-v", ...args], { cwd: TOOL, env: goEnv(), stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    go.once("close", resolve).once("error", reject);
  });
  const errors: string[] = [];
  let built = 0;
  for await (const line of createInterface(go.stderr)) {
    // With -v it names each package when it has been compiled, and nothing else.
    if (!/^[\w./~-]+$/.test(line)) errors.push(line);
    else if (++built % 20 === 0) report(`building Kubernetes, once: ${built} of at most ${packages} packages`);
  }
  if ((await ended) !== 0) throw new Error(`go build failed:\n${errors.join("\n")}`);
}

function goFile(name: string): string {
  return readFileSync(join(TOOL, name), "utf8");
}

function goEnv(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off" };
}
