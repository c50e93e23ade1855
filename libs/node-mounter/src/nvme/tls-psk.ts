import { hkdfSync } from "node:crypto";

import { ConnectorError } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { HostError } from "../host/host-error.ts";
import type { NvmeConnection } from "./nvme-connection.ts";
import { parseNvmeKey } from "./nvme-secrets.ts";

/** Where the kernel looks for NVMe's pre-shared keys. */
const KEYRING = "%:.nvme";

/** What the kernel finds a key by, and the key itself. */
export interface TlsPsk {
  readonly identity: string;
  readonly key: Buffer;
}

/** Which TLS cipher, and so which hash, a configured key goes with (TCP transport specification 3.6.1.3). */
const HASHES = { none: "sha256", sha256: "sha256", sha384: "sha384", sha512: undefined } as const;
/** One byte tells its length. */
const MAX_IDENTITY_BYTES = 255;
const HASH_NUMBERS = { sha256: "01", sha384: "02" } as const;

/**
 * The key of a session from the configured one: first bound to the host, then to the pair (TCP transport specification
 * 3.6.1.3, identity version 0). Throws ConnectorError `INVALID`.
 */
export function deriveTlsPsk(configured: string, { hostNqn, nqn }: Pick<NvmeConnection, "hostNqn" | "nqn">): TlsPsk {
  const { hash, key } = parseNvmeKey("tlsPsk", "NVMeTLSkey-1", configured);
  const digest = HASHES[hash];
  if (digest === undefined)
    throw new ConnectorError("INVALID", "the secret tlsPsk asks for SHA-512, which TLS for NVMe has not");
  const retained = hash === "none" ? key : expandLabel(digest, { key, label: "HostNQN", context: hostNqn });
  const identity = `NVMe0R${HASH_NUMBERS[digest]} ${hostNqn} ${nqn}`;
  if (Buffer.byteLength(identity) > MAX_IDENTITY_BYTES)
    throw new ConnectorError("INVALID", `the names ${hostNqn} and ${nqn} are too long together for TLS`);
  return { identity, key: expandLabel(digest, { key: retained, label: "nvme-tls-psk", context: identity }) };
}

interface Expansion {
  readonly key: Buffer;
  readonly label: string;
  readonly context: string;
}

/** HKDF-Expand-Label of TLS 1.3 (RFC 8446, 7.1) on an extracted key, to the length of the key. */
function expandLabel(hash: string, { key, label, context }: Expansion): Buffer {
  const labelBytes = Buffer.from(`tls13 ${label}`);
  const contextBytes = Buffer.from(context);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(key.length);
  const info = Buffer.concat([length, prefixed(labelBytes), prefixed(contextBytes)]);
  return Buffer.from(hkdfSync(hash, key, Buffer.alloc(0), info, key.length));
}

function prefixed(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** Puts a session's key where the kernel finds it. Throws ConnectorError `INVALID` or `UNSUPPORTED`. Default deadline 10 s. */
export async function insertTlsPsk(
  host: Host,
  configured: string,
  connection: NvmeConnection,
  { timeoutMs = 10_000, signal }: CallOptions = {},
): Promise<void> {
  const { identity, key } = deriveTlsPsk(configured, connection);
  const remedy =
    "TLS needs Linux 6.7 or newer, keyctl (package keyutils) in this image, and tlshd (package ktls-utils) on the host";
  try {
    const args = ["padd", "-x", "psk", identity, KEYRING];
    const { exitCode, stderr } = await host.run("keyctl", args, { input: key.toString("hex"), timeoutMs, signal });
    if (exitCode === 0) return;
    throw new ConnectorError(
      "UNSUPPORTED",
      `the kernel takes no TLS key for ${connection.nqn} (${stderr.trim()}): ${remedy}`,
    );
  } catch (cause) {
    if (!(cause instanceof HostError) || cause.code !== "COMMAND_NOT_FOUND") throw cause;
    throw new ConnectorError("UNSUPPORTED", `no TLS key can be given to the kernel: ${remedy}`, { cause });
  }
}
