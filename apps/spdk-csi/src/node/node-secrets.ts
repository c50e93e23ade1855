import { DriverError } from "../driver-error.ts";
import type { Authentication } from "./connection.ts";

/** A key of the secrets that a node takes with a stage, or with a publish that stages again. */
export type SecretKey = "dhchapKey" | "dhchapCtrlrKey" | "encryptionPassphrase";

/** Which call the secrets came with: each has a Secret of its own. */
export type SecretPurpose = "stage" | "publish";

/** What a volume needs. */
export interface SecretNeeds {
  readonly authentication: Authentication;
  readonly isEncrypted: boolean;
}

/** The secrets of a call, for node-mounter. */
export interface NodeSecrets {
  /** For the connector, by its own names. */
  readonly keys: Readonly<Record<string, string>>;
  /** Empty where the volume is encrypted and there is none, undefined where it is not encrypted. */
  readonly passphrase: string | undefined;
  /** What is needed and was not given. */
  readonly missing: readonly SecretKey[];
}

/** Reads the secrets that a volume needs, and no others: one Secret may serve many volumes. */
export function readSecrets(secrets: Readonly<Record<string, string>>, needs: SecretNeeds): NodeSecrets {
  const { authentication, isEncrypted } = needs;
  // A text file that became a Secret ends in a newline; in these keys no whitespace has a meaning.
  const read = (key: SecretKey): string => secrets[key] ?? "";
  const dhchapKey = read("dhchapKey").trim();
  const dhchapCtrlrKey = read("dhchapCtrlrKey").trim();
  const passphrase = read("encryptionPassphrase");
  const takesHost = authentication !== "none";
  const takesController = authentication === "mutual" || authentication === "as-given";
  const missing: readonly (SecretKey | false)[] = [
    takesHost && authentication !== "as-given" && dhchapKey === "" && "dhchapKey",
    authentication === "mutual" && dhchapCtrlrKey === "" && "dhchapCtrlrKey",
    isEncrypted && passphrase === "" && "encryptionPassphrase",
  ];
  return {
    keys: {
      ...(takesHost && dhchapKey !== "" && { dhchapKey }),
      ...(takesController && dhchapCtrlrKey !== "" && { dhchapControllerKey: dhchapCtrlrKey }),
    },
    passphrase: isEncrypted ? passphrase : undefined,
    missing: missing.filter((key) => key !== false),
  };
}

/** The error for secrets that a volume needs and that were not given: it says where Kubernetes takes them from. */
export function missingSecrets(
  volumeId: string,
  missing: readonly SecretKey[],
  purpose: SecretPurpose,
  cause?: unknown,
): DriverError {
  const why = missing.includes("encryptionPassphrase") ? "is encrypted" : "is on a target that authenticates its hosts";
  const when =
    purpose === "publish" ? "has to be staged again, as after a restart of the node, and" : "is to be staged, and";
  return new DriverError(
    "NOT_READY",
    `volume "${volumeId}" ${why}; it ${when} the call has no secret ${missing.join(", ")}: name its Secret in the StorageClass by csi.storage.k8s.io/node-${purpose}-secret-name and -namespace, or in a static PersistentVolume by node${purpose === "stage" ? "Stage" : "Publish"}SecretRef`,
    { cause },
  );
}
