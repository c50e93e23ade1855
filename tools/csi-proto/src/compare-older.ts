import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { buildDescriptorSetOf, readCsiFile, readDescriptorSet } from "./descriptor-set.ts";
import { withTempDir } from "./generate.ts";
import { countItems, findIncompatibilities } from "./wire-compatibility.ts";

/** The releases of CSI that the sidecars and kubelets in use speak. */
const RELEASES = [
  "v1.0.0",
  "v1.1.0",
  "v1.2.0",
  "v1.3.0",
  "v1.4.0",
  "v1.5.0",
  "v1.6.0",
  "v1.7.0",
  "v1.8.0",
  "v1.9.0",
  "v1.10.0",
  "v1.11.0",
  "v1.12.0",
] as const;

/** Compares the proto with every older release, whose proto comes in its Go module; throws when one is not understood. */
export function compareOlder(): void {
  const incompatible = withTempDir((dir) => {
    const ours = readCsiFile(dir);
    return RELEASES.flatMap((release) => {
      const folder = join(dir, release);
      mkdirSync(folder);
      copyFileSync(join(download(release), "csi.proto"), join(folder, "csi.proto"));
      const descriptors = join(folder, "csi.json");
      buildDescriptorSetOf(folder, descriptors);
      const older = readDescriptorSet(descriptors);
      const faults = findIncompatibilities(older, ours).map((fault) => `CSI ${release}: ${fault}`);
      process.stdout.write(`CSI ${release}: ${countItems(older)} items, ${faults.length} not understood\n`);
      return faults;
    });
  });
  if (incompatible.length > 0) throw new Error(incompatible.join("\n"));
}

/** The folder of a release's Go module. */
function download(release: string): string {
  const module = `github.com/container-storage-interface/spec@${release}`;
  const env = { ...process.env, GOFLAGS: "-modcacherw" };
  const json = execFileSync("go", ["mod", "download", "-json", module], { encoding: "utf8", env });
  const { Dir: dir } = JSON.parse(json) as { readonly Dir?: string };
  if (dir === undefined) throw new Error(`${module} cannot be had: ${json}`);
  return dir;
}
