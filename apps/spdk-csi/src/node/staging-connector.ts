import type { Connector, Host, NvmeConnection } from "@org/node-mounter";

import { withDeviceAccess } from "./device-access.ts";
import { missingSecrets, type SecretPurpose } from "./node-secrets.ts";
import type { StageCall } from "./stage-call.ts";

/**
 * The connector of one call. A publish of what is staged needs no secrets, and whether it is staged is seen on the way: so
 * what is missing is told where it would be needed, before anything is attached.
 */
export function stagingConnector(
  host: Host,
  connector: Connector<NvmeConnection>,
  { access, stage, missing }: StageCall,
  purpose: SecretPurpose,
): Connector<NvmeConnection> {
  if (missing.length > 0) {
    return { ...connector, attach: () => Promise.reject(missingSecrets(stage.volumeId, missing, purpose)) };
  }
  // A raw block device is made read-only where it is published.
  if (access.kind === "block") return connector;
  const isShared = access.readonly && access.sharing === "multi-node";
  return withDeviceAccess(host, connector, isShared ? "read-only" : "read-write");
}
