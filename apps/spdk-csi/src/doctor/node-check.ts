import type { Host } from "@org/node-mounter";

import type { Finding } from "./finding.ts";

/** One check of a machine, under the name that its finding has. */
export interface NodeCheck {
  readonly check: string;
  readonly run: (host: Host) => Promise<Finding>;
}
