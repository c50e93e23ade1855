import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { buildFolder, buildOnce, type GoBuild, moduleVersion, runGo } from "./go-build.ts";
import { TOOL } from "./places.ts";
import type { Report } from "./report.ts";

/** Names that a package's folder does not give. */
const RENAMED: ReadonlyMap<string, string> = new Map([["server", "etcd"]]);

const SNAPSHOTTER = "github.com/kubernetes-csi/external-snapshotter";

const BUILD: GoBuild = { name: "binaries", title: "Kubernetes", module: TOOL, packages: ["tool"], finish };

/** Whether a cluster can start without anything being built. */
export function areBinariesBuilt(): boolean {
  return existsSync(buildFolder(BUILD));
}

/** Builds all `tool`s of go.mod, unless that has been done; gives the folder that holds them. */
export function buildBinaries(report: Report): Promise<string> {
  return buildOnce(BUILD, report);
}

async function finish(folder: string): Promise<void> {
  for (const [from, to] of RENAMED) await rename(join(folder, from), join(folder, to));
  await copySnapshotManifests(join(folder, "snapshots"));
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

/** Where the source of a module lies. */
function moduleFolder(module: string): string {
  return runGo(TOOL, ["list", "-m", "-f", "{{.Dir}}", module]);
}
