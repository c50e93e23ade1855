import { join } from "node:path";

import type { NodeKind } from "./node-kind.ts";
import { TOOL } from "./places.ts";

/** The folder with the driver's manifests for the cluster's emulated target, for `kubectl apply -k`. */
export function manifestsFor(node: NodeKind, snapshots: "with-snapshots" | "without-snapshots"): string {
  return join(TOOL, "manifests", node, snapshots);
}
