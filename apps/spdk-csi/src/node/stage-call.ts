import type { NodePublishVolumeRequest, NodeStageVolumeRequest } from "@org/csi-framework";
import type { NvmeConnection, StageRequest } from "@org/node-mounter";

import { type Access, parseAccess } from "../capabilities.ts";
import { DriverError } from "../driver-error.ts";
import { parseFilesystem } from "../parameters.ts";
import { CONTENT_SOURCE } from "../plugin.ts";
import { type HostIdentity, parseConnection } from "./connection.ts";
import { readSecrets, type SecretKey } from "./node-secrets.ts";

/** A stage, or a publish that may have to stage again, read. */
export interface StageCall {
  readonly access: Access;
  readonly stage: StageRequest<NvmeConnection>;
  /** Whether it is a clone or a restore, which is never formatted. */
  readonly mayHoldData: boolean;
  /** Secrets without which it cannot be staged. */
  readonly missing: readonly SecretKey[];
}

/** Reads what a stage needs from the request of a stage, or of a publish. Throws INVALID or NOT_READY. */
export function parseStageCall(
  request: NodeStageVolumeRequest | NodePublishVolumeRequest,
  host: HostIdentity,
): StageCall {
  const { volumeId, stagingTargetPath, publishContext, volumeContext } = request;
  const access = parseUse(request);
  const { connection, authentication } = parseConnection(request, host);
  const isEncrypted = parseEncryption(volumeContext);
  const { keys, passphrase, missing } = readSecrets(request.secrets, { authentication, isEncrypted });
  const { blankProof } = publishContext;
  const mayHoldData = volumeContext[CONTENT_SOURCE] !== undefined;
  return {
    access,
    missing,
    mayHoldData,
    stage: {
      volumeId,
      connection,
      secrets: keys,
      stagingPath: stagingTargetPath,
      access:
        access.kind === "block"
          ? { kind: "block" }
          : { kind: "filesystem", fsType: access.filesystem, mountOptions: access.mountOptions },
      // Clones and restores hold somebody's data: what cannot be read there is damaged, not blank. And who only reads has
      // no use for an empty filesystem; two nodes that read would both make one.
      mayFormat: !mayHoldData && !access.readonly,
      blankProof: blankProof === undefined || blankProof === "" ? undefined : { id: blankProof },
      encryption: passphrase === undefined ? undefined : { key: passphrase },
    },
  };
}

function parseUse({
  volumeCapability,
  volumeContext,
}: Pick<NodeStageVolumeRequest, "volumeCapability" | "volumeContext">): Access {
  const { fsType = "" } = volumeContext;
  return parseAccess(volumeCapability, fsType === "" ? undefined : parseFilesystem(fsType));
}

function parseEncryption({ encryption = "" }: Readonly<Record<string, string>>): boolean {
  if (encryption === "" || encryption === "none") return false;
  if (encryption === "luks2") return true;
  throw new DriverError("INVALID", `volume_context has encryption "${encryption}": give luks2, or none`);
}
