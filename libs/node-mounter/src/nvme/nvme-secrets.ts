import { crc32 } from "node:zlib";

import { ConnectorError } from "../connectors/connector-error.ts";

/** The secrets that an NVMe session may need; names of {@link AttachOptions.secrets}. */
export interface NvmeSecrets {
  /** DH-HMAC-CHAP: proves the host to the target. `DHHC-1:…:` as nvme-cli's gen-dhchap-key writes it. */
  readonly dhchapKey?: string | undefined;
  /** DH-HMAC-CHAP: proves the target to the host. Needs `dhchapKey`. */
  readonly dhchapControllerKey?: string | undefined;
  /** TLS: the configured pre-shared key, `NVMeTLSkey-1:…:` as nvme-cli's gen-tls-key writes it. */
  readonly tlsPsk?: string | undefined;
}

/** A key in the interchange formats of NVMe (TCP transport specification 3.6.1.5; base specification 8.13.5.8). */
export interface NvmeKey {
  /** The hash that it is made for; `none` when it is used as it is. */
  readonly hash: "none" | "sha256" | "sha384" | "sha512";
  readonly key: Buffer;
}

const HASHES: Readonly<Record<string, NvmeKey["hash"]>> = {
  "00": "none",
  "01": "sha256",
  "02": "sha384",
  "03": "sha512",
};

/** Reads the secrets of an attach; throws ConnectorError `INVALID`, which never holds one. */
export function parseNvmeSecrets(secrets: Readonly<Record<string, string>> = {}): NvmeSecrets {
  const { dhchapKey, dhchapControllerKey, tlsPsk } = secrets;
  if (dhchapKey !== undefined) parseNvmeKey("dhchapKey", "DHHC-1", dhchapKey);
  if (dhchapControllerKey !== undefined) parseNvmeKey("dhchapControllerKey", "DHHC-1", dhchapControllerKey);
  if (dhchapControllerKey !== undefined && dhchapKey === undefined)
    throw new ConnectorError("INVALID", "the secret dhchapControllerKey needs dhchapKey beside it: give both");
  if (tlsPsk !== undefined) parseNvmeKey("tlsPsk", "NVMeTLSkey-1", tlsPsk);
  return { dhchapKey, dhchapControllerKey, tlsPsk };
}

/** Reads a key with its checksum; `name` is what an error calls it. Throws ConnectorError `INVALID`. */
export function parseNvmeKey(name: string, prefix: "DHHC-1" | "NVMeTLSkey-1", text: string): NvmeKey {
  const wrong = (what: string): never => {
    throw new ConnectorError(
      "INVALID",
      `the secret ${name} ${what}: it must be one that nvme-cli makes (${prefix}:…:)`,
    );
  };
  const [, code = "", base64 = ""] = new RegExp(`^${prefix}:(\\d\\d):([A-Za-z0-9+/=]+):$`).exec(text) ?? [];
  const hash = HASHES[code];
  if (hash === undefined) return wrong(`is not of the form ${prefix}:<hash>:<base64>:`);
  const bytes = Buffer.from(base64, "base64");
  const key = bytes.subarray(0, -4);
  if (![32, 48, 64].includes(key.length)) return wrong(`holds ${Math.max(0, bytes.length - 4)} bytes`);
  if (bytes.readUInt32LE(key.length) !== crc32(key)) return wrong("has a wrong checksum");
  return { hash, key };
}
