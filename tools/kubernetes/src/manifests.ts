import { join } from "node:path";

import type { NodeKind } from "./nodes.ts";
import { TOOL } from "./places.ts";

/** What the driver is deployed for: the storage suite asks for more than it has by default. */
export type Purpose = "with-snapshots" | "without-snapshots" | "storage-suite";

/** The folder with the driver's manifests for the cluster's emulated target, for `kubectl apply -k`. */
export function manifestsFor(node: NodeKind, purpose: Purpose): string {
  return join(TOOL, "manifests", node, purpose);
}
